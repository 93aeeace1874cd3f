"""The read-only HTTP side: health for monitors, metrics for Prometheus, pages for people.

`server` takes connections, `peer` and `guard` bound them, `views` answers each path, `document`
gathers what is known, `page` and `explain_page` show it.
"""

from __future__ import annotations

from invsyncd.web.guard import Policy
from invsyncd.web.peer import PeerLimits
from invsyncd.web.server import serving
from invsyncd.web.views import Window

__all__ = ["PeerLimits", "Policy", "Window", "serving"]
