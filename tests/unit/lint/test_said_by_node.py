"""What is made of Node.js's words about code, by a Node.js that says what the test wants."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.rules.code import _said_by_node


@pytest.mark.parametrize(
    ("status", "said", "found"),
    [
        (0, "", None),
        (0, "SyntaxError: a warning of one", None),
        (1, "node: out of memory", None),
        (
            1,
            "[stdin]:3\\nlet let\\n    ^^^\\n\\nSyntaxError: let is not allowed\\n    at wrapSafe",
            "SyntaxError: let is not allowed (line 3 of the code)",
        ),
        (1, "SyntaxError: Unexpected end of input", "SyntaxError: Unexpected end of input"),
    ],
)
def test_nodes_words(status: int, said: str, found: str | None, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\ncat >/dev/null\nprintf '{said}' >&2\nexit {status}\n")
    node.chmod(0o755)
    assert _said_by_node(str(node), "code") == found
