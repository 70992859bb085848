"""What units are told of their patients, once the archive knows it."""
