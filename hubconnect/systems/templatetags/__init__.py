"""Template tags of the systems pages."""
