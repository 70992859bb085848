"""Routes: thin, one file a subject; each asks `access` before it looks at anything."""
