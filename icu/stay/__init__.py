"""Stays: who moves, leaves or dies, the map of beds, limits of treatment that two agreed on."""
