"""Web Push to the tablets and phones of those on duty: one more receiver, never the only one."""
