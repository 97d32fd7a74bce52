"""Properties of notes, emails, calls, meetings and tasks."""

from hubconnect.sandbox.catalog.common import titled

SHARED = """
hs_createdate | Create date | datetime/date | ro
hs_lastmodifieddate | Last modified date | datetime/date | ro
hs_timestamp | Activity date | datetime/date |
hs_attachment_ids | Attached file IDs | enumeration/checkbox | ext
hs_body_preview | Body preview | string/text | ro
hs_body_preview_html | HTML Body Preview | string/text | ro
hs_body_preview_is_truncated | Body Preview Truncated | bool/booleancheckbox | ro
hs_engagement_source | Engagement Source | string/text | ro
hs_engagement_source_id | Engagement Source ID | string/text | ro
hs_created_by | Activity created by | number/number | ro
hs_modified_by | Updated by | number/number | ro
hs_gdpr_deleted | GDPR deleted | bool/booleancheckbox | ro
hs_at_mentioned_owner_ids | At-Mentioned Owner Ids | enumeration/checkbox | ext
"""
TABLES = {
    "notes": """
hs_note_body | Note body | string/html |
""",
    "emails": """
hs_email_direction | Email direction | enumeration/select |
hs_email_status | Email send status | enumeration/select |
hs_email_subject | Email subject | string/text |
hs_email_text | Email body | string/textarea |
hs_email_html | Email HTML | string/html |
hs_email_headers | Email headers | string/textarea |
hs_email_from_email | Email from address | string/text | ro
hs_email_from_firstname | Email from first name | string/text | ro
hs_email_from_lastname | Email from last name | string/text | ro
hs_email_to_email | Email to address | string/text | ro
hs_email_to_firstname | Email to first name | string/text | ro
hs_email_to_lastname | Email to last name | string/text | ro
hs_email_cc_email | Email CC address | string/text | ro
hs_email_cc_firstname | Email CC first name | string/text | ro
hs_email_cc_lastname | Email CC last name | string/text | ro
hs_email_bcc_email | Email BCC address | string/text | ro
hs_email_bcc_firstname | Email BCC first name | string/text | ro
hs_email_bcc_lastname | Email BCC last name | string/text | ro
hs_email_open_count | Number of email opens | number/number | ro
hs_email_click_count | Number of email clicks | number/number | ro
hs_email_thread_id | Email thread ID | string/text | ro
hs_email_message_id | Email message ID | string/text | ro
""",
    "calls": """
hs_call_title | Call title | string/text |
hs_call_body | Call notes | string/html |
hs_call_direction | Call direction | enumeration/select |
hs_call_duration | Call duration | number/number |
hs_call_from_number | From number | string/phonenumber |
hs_call_to_number | To number | string/phonenumber |
hs_call_recording_url | Recording URL | string/text |
hs_call_status | Call status | enumeration/select |
hs_call_disposition | Call outcome | enumeration/select |
hs_call_callee_object_id | Callee object ID | number/number |
hs_call_callee_object_type_id | Callee object type ID | string/text |
hs_call_source | Call source | enumeration/select |
hs_call_has_voicemail | Has voicemail | bool/booleancheckbox |
hs_activity_type | Call and meeting type | enumeration/select |
""",
    "meetings": """
hs_meeting_title | Meeting name | string/text |
hs_meeting_body | Meeting description | string/html |
hs_internal_meeting_notes | Internal meeting notes | string/html |
hs_meeting_external_url | External URL | string/text |
hs_meeting_location | Location | string/text |
hs_meeting_start_time | Meeting start time | datetime/date |
hs_meeting_end_time | Meeting end time | datetime/date |
hs_meeting_outcome | Meeting outcome | enumeration/select |
hs_activity_type | Call and meeting type | enumeration/select |
hs_attendee_owner_ids | Attendee owners | enumeration/checkbox | ext
""",
    "tasks": """
hs_task_subject | Task Title | string/text |
hs_task_body | Task Notes | string/html |
hs_task_status | Task Status | enumeration/select |
hs_task_priority | Priority | enumeration/select |
hs_task_type | Task Type | enumeration/select |
hs_task_reminders | Reminders | string/text |
hs_task_completion_date | Completed at | datetime/date | ro
hs_task_is_overdue | Overdue | bool/booleancheckbox | calc
""",
}
OPTIONS = {
    "hs_email_direction": titled("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
    "hs_email_status": titled("BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"),
    "hs_call_direction": titled("INBOUND", "OUTBOUND"),
    "hs_call_status": titled(
        "BUSY",
        "CALLING_CRM_USER",
        "CANCELED",
        "COMPLETED",
        "CONNECTING",
        "FAILED",
        "IN_PROGRESS",
        "NO_ANSWER",
        "QUEUED",
        "RINGING",
    ),
    "hs_call_source": titled("INTEGRATIONS_PLATFORM"),
    # Each account has its own; these are one's.
    "hs_activity_type": (("Consultation", "Consultation"), ("Demo", "Demo")),
    "hs_call_disposition": (
        ("9d9162e7-6cf3-4944-bf63-4dff82258764", "Busy"),
        ("f240bbac-87c9-4f6e-bf70-924b57d47db7", "Connected"),
        ("a4c4c377-d246-4b32-a13b-75a56a4cd0ff", "Left live message"),
        ("b2cf5968-551e-4856-9783-52b3da59a7d0", "Left voicemail"),
        ("73a0d17f-1163-4015-bdd5-ec830791da20", "No answer"),
        ("17b47fee-58de-441e-a44c-c6300d46f273", "Wrong number"),
    ),
    "hs_meeting_outcome": titled("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
    "hs_task_status": titled("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
    "hs_task_priority": titled("NONE", "LOW", "MEDIUM", "HIGH"),
    "hs_task_type": titled("TODO", "CALL", "EMAIL", "LINKED_IN_CONNECT", "LINKED_IN_MESSAGE"),
}
