"""The map of beds in PostgreSQL: free, taken, cleaning, reserved."""
