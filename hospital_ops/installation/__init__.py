"""What stands where: hospitals, units, beds and devices of this installation, in PostgreSQL."""
