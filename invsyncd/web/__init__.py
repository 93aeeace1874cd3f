"""The read-only HTTP server: health for monitors, metrics for Prometheus, pages for people.

`server` accepts connections, `peer` limits them, and `guard` decides who is answered. `views` says
what each path answers, from the data in `document` and `stock`. `page`, `stock_page`, `details` and
`explain_page` make the HTML.
"""

from __future__ import annotations

from invsyncd.web.guard import Policy
from invsyncd.web.peer import PeerLimits
from invsyncd.web.server import serving
from invsyncd.web.views import Window

__all__ = ["PeerLimits", "Policy", "Window", "serving"]
