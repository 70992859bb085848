"""Allergies of a patient, as somebody said them at the bed."""
