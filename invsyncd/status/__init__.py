"""The state of the daemon: health, latency, and what a pass reported."""
