"""Takes pictures of every state of the pages: `python -m tests.process.web DIRECTORY`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

from invsyncd.core.model import Target
from invsyncd.net.tasks import run_together
from tests.process.web.browser import CHROMIUM, DARK, screenshot
from tests.process.web.site import HOSTILE, STATES, Budgeted, site
from tests.process.web.stocks import shelf

SIZES = {"desktop": (1280, 1500), "phone": (360, 2600)}
SCHEMES: dict[str, list[str]] = {"light": [], "dark": [DARK]}
LISTED = {"shelf": "/stock", "long": "/stock"}
EXPLAINED = {
    "shelf": "CAP-RED",
    "well": "TEE-M",
    "held": "CAP-RED",
    "hostile": HOSTILE,
    "long": "W" * 255,
}


AT_ONCE = 3


async def pictures(folder: Path, only: set[str]) -> None:
    """Every page of these states, in every size and scheme."""
    for name, state in {**STATES, "shelf": shelf}.items():
        if only and name not in only:
            continue
        with tempfile.TemporaryDirectory() as home:
            health = Budgeted(time.time, 15, list(Target))
            async with site(Path(home), health=health) as made:
                await state(made)
                pages = {name: "/"}
                if name in EXPLAINED:
                    pages[f"{name}-explained"] = f"/explain?sku={quote(EXPLAINED[name])}"
                if name in LISTED:
                    pages[f"{name}-list"] = LISTED[name]
                await run_together(
                    [
                        partial(_picture, made.url + path, folder, f"{title}-{size}-{scheme}")
                        for title, path in pages.items()
                        for size in SIZES
                        for scheme in SCHEMES
                    ],
                    at_once=AT_ONCE,
                )


async def _picture(url: str, folder: Path, title: str) -> None:
    *_, size, scheme = title.split("-")
    await screenshot(url, folder / f"{title}.png", *SIZES[size], *SCHEMES[scheme])
    print(folder / f"{title}.png")


if __name__ == "__main__":
    if CHROMIUM is None:
        raise SystemExit("Error: no chromium on the PATH\nTry: apt install chromium")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(pictures(target, set(sys.argv[2:])))
