"""Where a patient has lain since the stay began: the spans by which the whole stay is read."""
