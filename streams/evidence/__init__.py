"""Evidence: the curves around the beginning of an alarm, kept with it."""
