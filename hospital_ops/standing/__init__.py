"""Where a device stands: what people have said, and what follows for its values."""
