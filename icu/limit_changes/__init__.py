"""Limits that a site has set: their history in PostgreSQL, told to the live unit by the relay."""
