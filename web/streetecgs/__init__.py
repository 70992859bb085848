"""The ECGs that were taken before the hospital and in the emergency department, beside a stay."""
