"""Store and forward: what a device or a box near it keeps until the hospital has it on disk."""
