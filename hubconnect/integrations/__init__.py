"""Integrations, pairs, flows and runs, and the pages about them."""
