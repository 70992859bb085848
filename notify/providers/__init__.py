"""Ways out of the house: a console, a generic HTTP aggregator, Twilio; one interface."""
