"""The time machine: what boards showed at a past second, as it could be seen then."""
