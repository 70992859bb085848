"""Staff on duty: who signed on for which beds, and what a unit has set for its alarms."""
