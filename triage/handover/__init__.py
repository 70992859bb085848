"""The hand-over: a structured sheet made from what was stored, signed by whoever takes it."""
