"""What relatives wrote back."""
