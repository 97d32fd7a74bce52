"""Template tags of the mapping editor."""
