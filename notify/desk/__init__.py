"""What people do with the day's messages: confirm, phone, release, settle, stop (`store.py`)."""
