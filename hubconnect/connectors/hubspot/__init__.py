"""The connector for HubSpot accounts."""
