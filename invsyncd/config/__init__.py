"""The configuration: read from TOML, environment and secret files into one frozen value."""

from __future__ import annotations

from invsyncd.config.load import find_config, load
from invsyncd.config.problems import ConfigProblems, Problem
from invsyncd.config.settings import Settings
from invsyncd.config.sources import UNREAD

__all__ = ["UNREAD", "ConfigProblems", "Problem", "Settings", "find_config", "load"]
