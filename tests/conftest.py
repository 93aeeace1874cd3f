"""What all tests need of the process that runs them."""

from __future__ import annotations

import signal

# A shell that starts the tests in the background lets them ignore SIGINT, and so would every
# process that they start and end by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
