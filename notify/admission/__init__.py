"""Word of an admission, where it was agreed to."""
