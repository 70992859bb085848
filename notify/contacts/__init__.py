"""To whom a message may go: consent, number, relation, language (PostgreSQL in `store.py`)."""
