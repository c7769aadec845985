"""The environment files of a run: a copy of the project's, with one value changed, or with failover.

In: the folder of environment files, an environment's name. Out: a folder that build.py takes.
Never: changes the project's own files.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

_THRESHOLD = "origin_latency_ms"
_DEFAULT = 3000
"""Of the model in environments/; any other value is a change too."""


def write(source: Path, target: Path, environment: str, *, variant: str, standby: tuple[str, str] | None) -> None:
    """Write the files of a variant: `` (as they are), `changed` or `failover`. Raises OSError and yaml.YAMLError."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    for file in sorted(source.glob("*.yaml")):
        shutil.copyfile(file, target / file.name)
    path = target / f"{environment}.yaml"
    settings = _read(path)
    settings.pop("failover", None)
    if variant == "changed":
        monitoring = settings.setdefault("monitoring", {})
        inherited = _read(target / "common.yaml").get("monitoring", {})
        monitoring[_THRESHOLD] = monitoring.get(_THRESHOLD, inherited.get(_THRESHOLD, _DEFAULT)) + 1
    elif variant == "failover" and standby is not None:
        settings["failover"] = {"dns_name": standby[0], "hosted_zone_id": standby[1]}
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def standby_of(source: Path, environment: str) -> tuple[str, str] | None:
    """Name and zone id of the standby that the environment's own files name."""
    found: dict[str, Any] = _read(source / f"{environment}.yaml").get("failover") or {}
    return (found["dns_name"], found["hosted_zone_id"]) if {"dns_name", "hosted_zone_id"} <= found.keys() else None


def _read(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if isinstance(found, dict) else {}


PAGE = "<!doctype html><html lang=en><title>Acceptance {number}</title><script src=/assets/{name}.js></script><h1>Release {number}</h1>\n"


def write_content(folder: Path) -> None:
    """Two releases of a small site: `content-1` and `content-2`; the second changes a file whose name a browser may spell in two ways."""
    for number in (1, 2):
        site = folder / f"content-{number}"
        shutil.rmtree(site, ignore_errors=True)
        (site / "assets").mkdir(parents=True)
        (site / "index.html").write_text(PAGE.format(number=number, name=f"main-{number:08x}"))
        (site / "assets" / f"main-{number:08x}.js").write_text(f"document.title += ' {number}'\n")
        (site / "runtime~main.txt").write_text(f"release {number}\n")
        (site / "robots.txt").write_text("User-agent: *\nDisallow: /\n")
