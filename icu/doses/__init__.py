"""What was carried out of an order: when, by whom, and taken back where it was not."""
