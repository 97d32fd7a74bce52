"""The HubSpot connector against the sandbox."""
