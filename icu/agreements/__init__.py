"""Limits of treatment and comfort care in PostgreSQL."""
