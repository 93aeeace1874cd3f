"""The heart: plain functions over frozen values, from readings to writes.

    poll → diff → merge → plan → commit → deliver → confirm

`model` holds the words; `diff`, `merge`, `fold`, `rule` and `plan` decide. No I/O, no clock, no
randomness and no logging in here: `engine` walks one pass through these decisions and does the
rest.
"""
