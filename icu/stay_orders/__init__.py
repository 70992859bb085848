"""Orders when a stay ends, and when that end was an error."""
