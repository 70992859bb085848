"""Triage that audits itself: what was proposed, said and decided, against the later course."""
