"""A stand-in HubSpot account: its own process, its own database, the same answers."""
