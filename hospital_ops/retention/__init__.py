"""Retention: how long each kind of data is kept, as the site has set it; else for ever."""
