"""What could not be used: read by whoever may, and tried again once what was wrong is mended."""
