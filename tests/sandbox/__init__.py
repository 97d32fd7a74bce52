"""Behaviour of the HubSpot sandbox, driven over HTTP."""
