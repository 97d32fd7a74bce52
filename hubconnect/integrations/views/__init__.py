"""Pages of integrations, runs and failures."""
