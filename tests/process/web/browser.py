"""Drives a real Chromium by its command line alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
DEADLINE_S = 50.0

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the PATH: the pages were not looked at in a browser"
)
DARK = "--blink-settings=preferredColorScheme=0"


async def chromium(url: str, *flags: str, wait_ms: int = 1500) -> str:
    """What it prints for this page once `wait_ms` of its own, virtual, time have gone by."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="invsyncd-chromium-") as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--no-proxy-server",
            f"--user-data-dir={profile}",
            f"--virtual-time-budget={wait_ms}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            *flags,
            url,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return out.decode()


async def screenshot(url: str, file: Path, wide: int, high: int, *flags: str) -> None:
    """A picture of the page in a window of this size."""
    await chromium(url, f"--screenshot={file}", f"--window-size={wide},{high}", *flags)
