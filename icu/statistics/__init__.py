"""Statistics of a unit over a period: of the unit, never of a person."""
