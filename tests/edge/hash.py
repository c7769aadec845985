"""Hashes or verifies with the deployer's own functions, for the tests under Node.js.

In: on standard input {"password", "salt" (hexadecimal), "ln"} or {"password", "password_hash"}.
Out: the PHC string, or true or false, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from operations.credential import hash_password, verify

if __name__ == "__main__":
    task = json.load(sys.stdin)
    result = (
        verify(task["password"], task["password_hash"])
        if "password_hash" in task
        else hash_password(task["password"], bytes.fromhex(task["salt"]), ln=task["ln"])
    )
    json.dump(result, sys.stdout)
