"""What carries the things that hang on linked records: one module for each kind."""
