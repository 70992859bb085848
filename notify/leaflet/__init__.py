"""The leaflet of a relative and the address on it."""
