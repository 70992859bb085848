"""What people charted and the laboratory sent, as the flowsheet reads it."""
