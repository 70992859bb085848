"""A stay that goes on in another unit of the house, and that comes back after an error."""
