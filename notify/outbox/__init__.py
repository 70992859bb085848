"""The messages and their states, one a day and number (PostgreSQL in `store.py`)."""
