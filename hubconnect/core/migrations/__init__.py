"""Schema changes of this application, in order."""
