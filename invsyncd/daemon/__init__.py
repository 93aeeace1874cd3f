"""The process: wiring, the scheduler and its jobs, and what systemd is told."""
