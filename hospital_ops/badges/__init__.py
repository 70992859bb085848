"""Badges of people: registered by an administrator, hashed, revocable."""
