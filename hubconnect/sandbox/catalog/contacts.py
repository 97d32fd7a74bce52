"""Properties of contacts."""

from hubconnect.sandbox.catalog.common import titled

LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
LEAD_STATUS = titled(
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "UNQUALIFIED",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
    "BAD_TIMING",
)
OPTIONS = {
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": LEAD_STATUS,
    "hs_buying_role": titled(
        "BLOCKER",
        "BUDGET_HOLDER",
        "CHAMPION",
        "DECISION_MAKER",
        "END_USER",
        "EXECUTIVE_SPONSOR",
        "INFLUENCER",
        "LEGAL_AND_COMPLIANCE",
        "OTHER",
    ),
    "numemployees": titled("1-5", "5-25", "25-50", "50-100", "100-500", "500-1000", "1000+"),
    "hs_language": (("de", "German"), ("en", "English"), ("es", "Spanish"), ("fr", "French")),
    "hs_seniority": titled("entry", "junior", "senior", "manager", "director", "vp", "executive"),
    "hs_analytics_source": titled(
        "ORGANIC_SEARCH", "PAID_SEARCH", "SOCIAL_MEDIA", "REFERRALS", "DIRECT_TRAFFIC", "OFFLINE"
    ),
}
TABLE = """
createdate | Create Date | datetime/date | ro
lastmodifieddate | Last Modified Date | datetime/date | ro
email | Email | string/text | unique
firstname | First Name | string/text |
lastname | Last Name | string/text |
salutation | Salutation | string/text |
company | Company Name | string/text |
jobtitle | Job Title | string/text |
phone | Phone Number | string/phonenumber |
mobilephone | Mobile Phone Number | string/phonenumber |
fax | Fax Number | string/text |
work_email | Work email | string/text |
website | Website URL | string/text |
address | Street Address | string/text |
city | City | string/text |
state | State/Region | string/text |
zip | Postal Code | string/text |
country | Country/Region | string/text |
hs_country_region_code | Country/Region Code | string/text |
hs_state_code | State/Region Code | string/text |
industry | Industry | string/text |
annualrevenue | Annual Revenue | string/text |
date_of_birth | Date of birth | string/text |
message | Message | string/textarea |
twitterhandle | Twitter Username | string/text |
hs_linkedin_url | LinkedIn URL | string/text |
lifecyclestage | Lifecycle Stage | enumeration/radio |
hs_lead_status | Lead Status | enumeration/radio |
hs_buying_role | Buying Role | enumeration/checkbox |
numemployees | Number of Employees | enumeration/select |
hs_language | Preferred language | enumeration/select |
hs_seniority | Employment Seniority | enumeration/select |
hs_additional_emails | Additional email addresses | enumeration/checkbox | ro ext
hs_all_contact_vids | Merged vids | enumeration/checkbox | ro ext
hs_calculated_merged_vids | Merged vids with timestamps | enumeration/checkbox | calc ext
hs_email_domain | Email Domain | string/text | ro
hs_full_name_or_email | Full name or email | string/calculation_equation | calc
hs_is_contact | Is a contact | bool/booleancheckbox | ro
hs_is_unworked | Contact unworked | bool/calculation_equation | calc
hs_email_optout | Unsubscribed from all email | bool/booleancheckbox | ro
hs_marketable_status | Marketing contact status | enumeration/select | ro ext
hs_marketable_until_renewal | Marketing until renewal | enumeration/select | ro ext
hs_pipeline | Pipeline | enumeration/select | ro ext
hs_searchable_calculated_phone_number | Calculated phone number | string/calculation_equation | calc
hs_searchable_calculated_mobile_number | Calculated mobile | string/calculation_equation | calc
associatedcompanyid | Primary Associated Company ID | number/number | ro
num_associated_deals | Number of Associated Deals | number/number | ro
num_notes | Number of Sales Activities | number/number | ro
num_contacted_notes | Number of times contacted | number/number | ro
notes_last_contacted | Last Contacted | datetime/date | ro
notes_last_updated | Last Activity Date | datetime/date | ro
notes_next_activity_date | Next Activity Date | datetime/date | ro
hs_analytics_source | Original Traffic Source | enumeration/select | ro
first_deal_created_date | First Deal Created Date | datetime/date | ro
recent_deal_amount | Recent Deal Amount | number/number | ro
"""
