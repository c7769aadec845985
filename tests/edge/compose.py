"""Prints the edge code as the templates carry it, for the tests under Node.js.

In: an EdgeConfig as a JSON object on standard input. Out: {"basicAuth": <the ZipFile value>, "viewerRequest", "pattern"}.
Never: fills in a hash.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from troposphere import Ref

from stacks import edge_code

if __name__ == "__main__":
    given: dict[str, Any] = json.load(sys.stdin)
    given["redirects"] = [tuple(each) for each in given.get("redirects", [])]
    frozen: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    config = edge_code.EdgeConfig(**frozen)
    json.dump(
        {
            "basicAuth": edge_code.basic_auth_code(config, Ref("BasicAuthPasswordHash")).to_dict(),
            "viewerRequest": edge_code.viewer_request_code(config),
            "pattern": edge_code.PASSWORD_HASH_PATTERN,
        },
        sys.stdout,
    )
