"""Flags of a patient, for everybody at the bed: isolation by kind, and that an allergy is known."""
