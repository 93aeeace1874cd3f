"""The decisions: plain functions over frozen values, without I/O, clock or logging."""
