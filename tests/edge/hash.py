"""Hashes or verifies with the deployer's own functions, for the tests under Node.js.

In: on standard input {"password", "salt" (hexadecimal), "ln"}, {"password", "password_hash"} or {"generate" (hexadecimal octets)}.
Out: the PHC string, true or false, or the generated password and its PHC string, as JSON.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from operations.credential import generate, hash_password, verify


def done(task: dict[str, Any]) -> object:
    if "generate" in task:
        return generate(io.BytesIO(bytes.fromhex(task["generate"])).read)
    if "password_hash" in task:
        return verify(task["password"], task["password_hash"])
    return hash_password(task["password"], bytes.fromhex(task["salt"]), ln=task["ln"])


if __name__ == "__main__":
    json.dump(done(json.load(sys.stdin)), sys.stdout)
