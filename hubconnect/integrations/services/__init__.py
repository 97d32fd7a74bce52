"""Services of this app: what views, tasks and commands call."""
