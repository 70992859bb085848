"""Places kept for a case, and what a department sets for itself: commands in PostgreSQL."""
