"""What `--json` prints, held against docs/json-schema.json. In: stdout. Out: the envelope. Never: takes what is none."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FILE = Path(__file__).resolve().parent.parent / "docs" / "json-schema.json"


@cache
def validator() -> Draft202012Validator:
    """Of the schema as it lies in docs/."""
    return Draft202012Validator(json.loads(FILE.read_bytes()))


def envelope(stdout: str) -> dict[str, Any]:
    """The envelope. Raises AssertionError with what is wrong with it."""
    found: dict[str, Any] = json.loads(stdout)
    wrong = [f"{error.json_path}: {error.message[:300]}" for error in validator().iter_errors(found)]
    assert not wrong, f"not as docs/json-schema.json has it: {wrong}"
    assert found["ok"] is (found["exit_status"] in (0, 3)), found
    assert found["ok"] or found["problems"], "went wrong, and does not say how"
    return found
