"""What of the archive waits at a bed: refilings to decide, records that could not come along."""
