"""Decides what both targets should show, from settings and stored state. Makes no call."""
