"""Alarm load: how many alarms a unit had, how long they sounded, what followed."""
