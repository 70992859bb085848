"""Codes without code: what a sender's own codes mean here, as administrators have entered it."""
