"""python -m environments: writes environments/schema.json from the model, for editors."""

from __future__ import annotations

import json
from pathlib import Path

from environments.model import file_schema

SCHEMA = Path(__file__).with_name("schema.json")


def schema_text() -> str:
    """The schema file as it should be."""
    return json.dumps(file_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
