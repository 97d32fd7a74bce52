"""Forms of the integrations pages."""
