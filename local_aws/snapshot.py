# mypy: allow-untyped-calls
"""What a local AWS holds, on disk: all of it, or what was there before.

In: MiniStack's services. Out: a file a service in MiniStack's directory, or the reason why there is none.
Never: replaces one file before all are written, as MiniStack's own `save_all` does, which also keeps to itself that the disk was full.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def install() -> None:
    """In place of `save_all`, wherever MiniStack calls it."""
    from ministack import app
    from ministack.core import persistence

    for part in (app, persistence):
        vars(part)["save_all"] = lambda _: save()


def save() -> str:
    """Write everything; why it could not be, or nothing."""
    from ministack import app
    from ministack.core import persistence

    if not persistence.PERSIST_STATE:
        return ""
    directory = Path(persistence.STATE_DIR)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory, dict(_documents(app._build_persistence_save_dict())))
    except OSError as error:
        free = shutil.disk_usage(directory.parent).free
        why = f"{error.strerror}; {free:,} bytes are free in {directory.parent}"
        logging.getLogger(__name__).error("state not saved: %s", why)  # noqa: TRY400
        return why
    return ""


def _documents(services: Mapping[str, Callable[[], Any]]) -> Any:
    """Name and content of each service's file; none of one that says nothing, or nothing that can be written: its old file stays."""
    from ministack.core import persistence

    for name, state_of in services.items():
        try:
            state = state_of()
            if state is not None:
                wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
                yield name, json.dumps(wrapped, default=persistence._json_default)
        except OSError:
            raise
        except Exception:
            logging.getLogger(__name__).exception("the state of %s cannot be written", name)


def _write(directory: Path, documents: Mapping[str, str]) -> None:
    drafts = {directory / f"{name}.json.new": text for name, text in documents.items()}
    try:
        for draft, text in drafts.items():
            draft.write_text(text)
    except OSError:
        for draft in drafts:
            with contextlib.suppress(OSError):
                draft.unlink()
        raise
    for draft in drafts:
        draft.replace(draft.with_suffix(""))
