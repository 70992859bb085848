"""Whether a patient still lies where somebody decides for them, as the record has it."""
