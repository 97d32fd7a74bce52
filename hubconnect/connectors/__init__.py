"""Connectors speak to one kind of outside system each, in plain Python."""
