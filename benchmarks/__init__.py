"""Benchmarks: commands that measure and print tables. They do not pass or fail."""
