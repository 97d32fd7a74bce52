"""Databases that SQLAlchemy opens: tables with a primary key are object types."""
