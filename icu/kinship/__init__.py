"""A child and its mother; two numbers that turn out to be one person; a person at a bed."""
