"""The daily message to a patient's relatives: what is due, its words, its holds, its sending.

Pure but for the `store.py` files (PostgreSQL), `providers/` and the loops `planner.py` and
`sender.py`. SAFETY.md I4, I5 and rule 5 are what this room is for.
"""
