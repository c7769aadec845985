"""What a child process is told of our environment."""

from __future__ import annotations

import pytest

from guards.processes import child_environment


def test_a_child_knows_a_short_list_and_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "NODE_OPTIONS", "PYTHONPATH", "HTTP_PROXY", "LC_ALL", "LC_TIME", "CI"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PATH", "/bin")
    made = child_environment("CI", "NOT_SET", PORT="1", PATH="/usr/bin")
    assert made["PATH"] == "/usr/bin"
    assert made["PORT"] == "1"
    assert {"LC_ALL", "LC_TIME", "CI"} <= made.keys()
    assert not {"AWS_SECRET_ACCESS_KEY", "NODE_OPTIONS", "PYTHONPATH", "HTTP_PROXY", "NOT_SET"} & made.keys()


def test_what_every_program_needs_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "HOME", "TMPDIR", "TZ", "LANG"):
        monkeypatch.setenv(name, f"of {name}")
    made = child_environment()
    assert {name: made[name] for name in ("PATH", "HOME", "TMPDIR", "TZ", "LANG")} == {
        name: f"of {name}" for name in ("PATH", "HOME", "TMPDIR", "TZ", "LANG")
    }
