"""The shared language of Hospital Ops, its edges to disk, and the composition root."""
