"""Explains why a number is what it is, from the stored state."""
