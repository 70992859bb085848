"""Hand-over: what a shift or a stay came to, from the data, completed and signed by a person."""
