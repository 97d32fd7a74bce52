"""HubConnect keeps records in HubSpot and in other systems the same."""
