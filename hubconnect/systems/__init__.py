"""Configured systems, their forms and live checks."""
