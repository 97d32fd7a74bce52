"""Programs around HubConnect: the demo, servers for tests, measuring, pictures."""
