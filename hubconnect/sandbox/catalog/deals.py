"""Properties of deals."""

from hubconnect.sandbox.catalog.common import titled

OPTIONS = {
    "dealtype": (("newbusiness", "New Business"), ("existingbusiness", "Existing Business")),
    "hs_priority": titled("low", "medium", "high"),
    "hs_manual_forecast_category": titled("OMIT", "PIPELINE", "BEST_CASE", "COMMIT", "CLOSED"),
    "hs_analytics_source": titled(
        "ORGANIC_SEARCH",
        "PAID_SEARCH",
        "EMAIL_MARKETING",
        "SOCIAL_MEDIA",
        "REFERRALS",
        "OTHER_CAMPAIGNS",
        "DIRECT_TRAFFIC",
        "OFFLINE",
        "PAID_SOCIAL",
        "AI_REFERRALS",
    ),
}
TABLE = """
createdate | Create Date | datetime/date |
hs_lastmodifieddate | Last Modified Date | datetime/date | ro
dealname | Deal Name | string/text |
pipeline | Pipeline | enumeration/select | ext
dealstage | Deal Stage | enumeration/radio | ext
amount | Amount | number/number |
closedate | Close Date | datetime/date |
dealtype | Deal Type | enumeration/radio |
description | Deal Description | string/textarea |
hs_next_step | Next step | string/textarea |
closed_lost_reason | Closed Lost Reason | string/textarea |
closed_won_reason | Closed Won Reason | string/textarea |
deal_currency_code | Currency | enumeration/select | ext
hs_priority | Priority | enumeration/select |
hs_manual_forecast_category | Forecast category | enumeration/select |
hs_analytics_source | Original Traffic Source | enumeration/select |
hs_deal_stage_probability | Deal probability | number/number |
hs_forecast_probability | Forecast probability | number/number |
hs_exchange_rate | Exchange rate | number/number |
hs_all_collaborator_owner_ids | Deal Collaborator | enumeration/checkbox | ext
amount_in_home_currency | Amount in company currency | number/number | calc
days_to_close | Days to close | number/calculation_equation | calc
hs_acv | Annual contract value | number/number | ro
hs_arr | Annual recurring revenue | number/number | ro
hs_mrr | Monthly recurring revenue | number/number | ro
hs_tcv | Total contract value | number/number | ro
hs_is_closed | Is Deal Closed? | bool/calculation_equation | calc
hs_is_closed_won | Is Closed Won | bool/calculation_equation | calc
hs_is_closed_lost | Is Closed Lost | bool/calculation_equation | calc
hs_projected_amount | Weighted amount | number/calculation_equation | calc
hs_closed_amount | Closed Deal Amount | number/calculation_equation | calc
num_associated_contacts | Number of Associated Contacts | number/number | ro
num_notes | Number of Sales Activities | number/number | ro
notes_last_contacted | Last Contacted | datetime/date | ro
notes_last_updated | Last Activity Date | datetime/date | ro
notes_next_activity_date | Next Activity Date | datetime/date | ro
"""
