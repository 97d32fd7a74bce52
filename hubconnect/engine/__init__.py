"""The decisions of a sync: plain Python, no Django, no input or output of its own."""
