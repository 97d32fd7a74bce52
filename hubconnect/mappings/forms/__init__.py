"""Forms of mappings: choosing the two sides, and the editor's rows."""
