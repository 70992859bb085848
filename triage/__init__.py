"""Triage: from a patient's latest vitals to red, yellow or green, with the reasons.

Pure except `store.py` (PostgreSQL).
"""
