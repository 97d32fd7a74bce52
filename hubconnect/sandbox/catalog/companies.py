"""Properties of companies."""

from hubconnect.sandbox.catalog.common import titled
from hubconnect.sandbox.catalog.contacts import LEAD_STATUS, LIFECYCLE

OPTIONS = {
    "industry": titled(
        "ACCOUNTING",
        "AIRLINES_AVIATION",
        "AUTOMOTIVE",
        "BANKING",
        "BIOTECHNOLOGY",
        "COMPUTER_SOFTWARE",
        "CONSTRUCTION",
        "CONSUMER_GOODS",
        "EDUCATION_MANAGEMENT",
        "FINANCIAL_SERVICES",
        "HOSPITAL_HEALTH_CARE",
        "INFORMATION_TECHNOLOGY_AND_SERVICES",
        "INSURANCE",
        "INTERNET",
        "LEGAL_SERVICES",
        "LOGISTICS_AND_SUPPLY_CHAIN",
        "MANAGEMENT_CONSULTING",
        "MARKETING_AND_ADVERTISING",
        "NON_PROFIT_ORGANIZATION_MANAGEMENT",
        "REAL_ESTATE",
        "RETAIL",
        "TELECOMMUNICATIONS",
        "WHOLESALE",
    ),
    "type": titled("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER"),
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": LEAD_STATUS,
    "hs_ideal_customer_profile": titled("tier_1", "tier_2", "tier_3"),
}
TABLE = """
createdate | Create Date | datetime/date | ro
hs_lastmodifieddate | Last Modified Date | datetime/date | ro
name | Company name | string/text |
domain | Company Domain Name | string/text |
website | Website URL | string/text |
phone | Phone Number | string/phonenumber |
address | Street Address | string/text |
address2 | Street Address 2 | string/text |
city | City | string/text |
state | State/Region | string/text |
zip | Postal Code | string/text |
country | Country/Region | string/text |
hs_country_code | Country/Region Code | string/text |
description | Description | string/textarea |
about_us | About Us | string/textarea |
founded_year | Year Founded | string/text |
timezone | Time Zone | string/text |
linkedin_company_page | LinkedIn Company Page | string/text |
twitterhandle | Twitter Handle | string/text |
facebook_company_page | Facebook Company Page | string/text |
numberofemployees | Number of Employees | number/number |
annualrevenue | Annual Revenue | number/number |
is_public | Is Public | bool/booleancheckbox |
hs_is_target_account | Target Account | bool/booleancheckbox |
industry | Industry | enumeration/select |
type | Type | enumeration/select |
lifecyclestage | Lifecycle Stage | enumeration/radio |
hs_lead_status | Lead Status | enumeration/radio |
hs_ideal_customer_profile | Ideal Customer Profile Tier | enumeration/select |
hs_additional_domains | Additional Domains | enumeration/checkbox | ro ext
hs_parent_company_id | Parent Company | number/number | ro
hs_num_child_companies | Number of child companies | number/number | ro
num_associated_contacts | Number of Associated Contacts | number/number | ro
num_associated_deals | Number of Associated Deals | number/number | ro
hs_num_open_deals | Number of open deals | number/number | ro
recent_deal_amount | Recent Deal Amount | number/number | ro
total_revenue | Total Revenue | number/number | ro
num_notes | Number of Sales Activities | number/number | ro
notes_last_contacted | Last Contacted | datetime/date | ro
notes_last_updated | Last Activity Date | datetime/date | ro
hs_analytics_source | Original Traffic Source | enumeration/select | ro ext
"""
