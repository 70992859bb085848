"""Native orders in PostgreSQL: `store.py` places, signs and moves; `rows.py` reads a row."""
