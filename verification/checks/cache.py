"""Caching: is everything served with its cache rule?"""

from __future__ import annotations

from collections.abc import Mapping

from verification.probe import Probe
from verification.registry import check, expect
from website.content import cache_control


@check("cache.page", "The page is served with its cache rule")
def _cache_page(probe: Probe) -> str:
    key = probe.contract.index_document.lstrip("/")
    return _cache(probe, {probe.contract.entry_path: cache_control(key, probe.contract.cache_rules)})


@check("cache.assets", "Assets are served with their cache rules")
def _cache_assets(probe: Probe) -> str:
    return _cache(probe, {path: cache_control(path.lstrip("/"), probe.contract.cache_rules) for path in probe.asset_paths})


def _cache(probe: Probe, wanted: Mapping[str, str]) -> str:
    wrong = []
    for path, value in wanted.items():
        found = probe.get(path).headers.get("cache-control", "")
        if found != value:
            wrong.append(f"{path}: {found or 'none'} (wanted: {value or 'none'})")
    return expect(not wrong, "; ".join(wrong) or "; ".join(sorted(set(wanted.values()))))
