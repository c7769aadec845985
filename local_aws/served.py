"""What the local AWS answers to, read from `served.cfg`, which says more."""

from __future__ import annotations

import configparser
from pathlib import Path


def _read() -> dict[str, frozenset[str]]:
    listed = configparser.ConfigParser(interpolation=None)
    with Path(__file__).with_name("served.cfg").open(encoding="utf-8") as file:
        listed.read_file(file)
    return {service: frozenset(names.split()) for service, names in listed["actions"].items()}


SERVED = _read()
"""Service to the names of its actions."""
