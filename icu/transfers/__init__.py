"""Transfers to another hospital: asked for, answered by name, left, arrived; `store.py` the SQL."""
