"""Incidents: what somebody saw and held to be wrong, frozen for review."""
