"""`sandbox` and `demo`."""

COMMANDS = ()
