"""Properties of orders."""

TABLE = """
hs_createdate | Create date | datetime/date | ro
hs_lastmodifieddate | Last modified date | datetime/date | ro
hs_order_name | Order name | string/text |
hs_currency_code | Currency | string/text |
hs_source_store | Source store | string/text |
hs_fulfillment_status | Fulfillment status | string/text |
hs_shipping_status_url | Shipping status URL | string/text |
hs_shipping_tracking_number | Shipping tracking number | string/text |
hs_shipping_address_street | Shipping street | string/text |
hs_shipping_address_city | Shipping city | string/text |
hs_shipping_address_state | Shipping state | string/text |
hs_shipping_address_postal_code | Shipping postal code | string/text |
hs_shipping_address_country | Shipping country | string/text |
hs_shipping_cost | Shipping cost | number/number |
hs_billing_address_name | Billing name | string/text |
hs_billing_address_email | Billing email | string/text |
hs_billing_address_phone | Billing phone | string/phonenumber |
hs_billing_address_street | Billing street | string/text |
hs_billing_address_city | Billing city | string/text |
hs_billing_address_state | Billing state | string/text |
hs_billing_address_postal_code | Billing postal code | string/text |
hs_billing_address_country | Billing country | string/text |
hs_pipeline | Pipeline | enumeration/select | ext
hs_pipeline_stage | Order stage | enumeration/select | ext
hs_external_order_id | External order ID | string/text |
hs_external_created_date | External created date | datetime/date |
hs_external_order_status | External order status | string/text |
hs_payment_status | Payment status | string/text |
hs_total_price | Total price | number/number |
hs_subtotal_price | Subtotal price | number/number |
hs_order_discount | Order discount | number/number |
hs_order_note | Order note | string/textarea |
hs_external_order_url | External order URL | string/text |
hs_homecurrency_amount | Amount in company currency | number/number | calc
hs_tax | Tax | number/number |
hs_order_type | Order type | string/text |
hs_exchange_rate | Exchange rate | number/number |
"""
