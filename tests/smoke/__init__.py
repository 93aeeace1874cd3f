"""A small seeded share of each campaign in stress/, for the gate."""
