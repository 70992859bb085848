"""Values without a patient, and under whom a person files them."""
