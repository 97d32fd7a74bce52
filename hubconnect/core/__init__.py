"""Users and roles, audit trail, sealed secrets, start-up checks and what every page shares."""
