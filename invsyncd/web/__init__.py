"""The read-only HTTP side: health for monitors, metrics for Prometheus, pages for people.

`server` takes connections, `peer` and `guard` keep them within bounds, `window` says what a path
answers, `facts` what is known, `page` and `explained` how that looks.
"""

from __future__ import annotations

from invsyncd.web.guard import Policy
from invsyncd.web.peer import PeerLimits
from invsyncd.web.server import serving
from invsyncd.web.views import Window

__all__ = ["PeerLimits", "Policy", "Window", "serving"]
