"""What is measured around changes of doses and settings, read for `icu/response.py`."""
