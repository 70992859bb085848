"""What a part of a text costs, as the site has entered it (`store.py`)."""
