"""The pages on which people act, where `server.actions` allows it.

`session` knows who is signed in, `desk` works an act out and asks for it, `asked` tells what became
of it, `frame`, `shown` and `home` make the HTML, `routes` answer the requests.
"""

from __future__ import annotations

from invsyncd.web.actions.routes import ActionRoutes, cookie_name
from invsyncd.web.actions.session import Sessions

__all__ = ["ActionRoutes", "Sessions", "cookie_name"]
