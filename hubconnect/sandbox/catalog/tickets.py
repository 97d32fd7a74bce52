"""Properties of tickets."""

from hubconnect.sandbox.catalog.common import titled

OPTIONS = {
    "hs_ticket_priority": titled("LOW", "MEDIUM", "HIGH", "URGENT"),
    "hs_ticket_category": titled(
        "PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST", "GENERAL_INQUIRY"
    ),
    "source_type": titled("CHAT", "EMAIL", "FORM", "PHONE"),
    "hs_resolution": titled("ISSUE_FIXED", "NO_ANSWER", "WITHDRAWN"),
}
TABLE = """
createdate | Create date | datetime/date |
hs_lastmodifieddate | Last modified date | datetime/date | ro
subject | Ticket name | string/text |
content | Ticket description | string/textarea |
hs_pipeline | Pipeline | enumeration/select | ext
hs_pipeline_stage | Ticket status | enumeration/select | ext
hs_ticket_priority | Priority | enumeration/select |
hs_ticket_category | Category | enumeration/checkbox |
source_type | Source | enumeration/select |
hs_resolution | Resolution | enumeration/checkbox |
closed_date | Close date | datetime/date |
hs_file_upload | File upload | string/file |
hs_ticket_id | Ticket ID | number/number | ro
hs_is_closed | Is closed | bool/calculation_equation | calc
hs_ticket_reopened_at | Reopened at | datetime/date | ro
time_to_close | Time to close | number/number | calc
hs_num_associated_companies | Number of Associated Companies | number/number | ro
hs_primary_company | Primary company | string/text | calc
hs_primary_company_id | Primary company ID | number/number | calc
hs_primary_company_name | Primary company name | string/text | calc
hs_in_helpdesk | In Help Desk | bool/booleancheckbox | ro
hs_lastactivitydate | Last activity date | datetime/date | ro
hs_lastcontacted | Last contacted date | datetime/date | ro
hs_nextactivitydate | Next activity date | datetime/date | ro
last_reply_date | Last customer reply date | datetime/date | ro
first_agent_reply_date | First agent email response date | datetime/date | ro
num_notes | Number of Sales Activities | number/number | ro
notes_last_updated | Last Activity Date | datetime/date | ro
"""
