"""How the daemon is doing: health, latency, what a pass reported."""
