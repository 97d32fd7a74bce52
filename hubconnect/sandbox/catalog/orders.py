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
hs_pipeline | Pipeline | enumeration/select | ext
hs_pipeline_stage | Order stage | enumeration/select | ext
hs_external_order_id | External order ID | string/text |
hs_external_created_date | External created date | datetime/date |
hs_external_order_status | External order status | string/text |
hs_payment_status | Payment status | string/text |
hs_total_price | Total price | number/number |
hs_subtotal_price | Subtotal price | number/number |
hs_tax | Tax | number/number |
hs_order_type | Order type | string/text |
hs_exchange_rate | Exchange rate | number/number |
"""
