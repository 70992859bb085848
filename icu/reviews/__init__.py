"""Reviews of what the cross-check said, and what a unit has enabled on the strength of them."""
