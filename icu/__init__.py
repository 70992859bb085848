"""Digital Resuscitation: beds, the board, alarms and indicators of an intensive care unit.

Pure except `store.py` (PostgreSQL).
"""
