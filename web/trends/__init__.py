"""Trends, strips and the flowsheet: what is read of a whole stay."""
