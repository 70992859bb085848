"""An order as its row is written: once when it is placed, again when its rate or goal changes."""
