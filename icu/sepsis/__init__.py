"""The clock of the first hours of sepsis: from a physician's mark on, it asks and never orders."""
