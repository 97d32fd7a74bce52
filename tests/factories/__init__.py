"""Typed factories: rows of the database as tests need them."""
