"""What a process that we start may know of ours: a short list of environment variables.

Credentials, NODE_OPTIONS, PYTHONPATH, proxies and whatever else the caller's shell holds stay behind, unless they are named.
"""

from __future__ import annotations

import os

_KEPT = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "TZ", "SYSTEMROOT", "VIRTUAL_ENV"})


def child_environment(*extra: str, **set_: str) -> dict[str, str]:
    """The environment of a child: what every program needs to find its files and speak the caller's language, the variables named in
    `extra` where the caller has them, and those that `set_` gives a value.
    """
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("LC_") or name in extra}
    return kept | set_
