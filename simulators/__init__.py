"""Devices and ambulances played by a seed; they use the public faces and nothing else."""
