"""What the archive knows of a patient's day (PostgreSQL in `store.py`)."""
