"""The generated reference is current and complete; a release refuses what it must."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from docs import environment_keys, reference, release
from environments.model import Environment, Organization

TODAY = date(2026, 12, 1)
CHANGELOG = "# Changelog\n\n## Unreleased\n\n- Something.\n\n## 0.1.0 - 2026-11-01\n\n- Before.\n"
SETTINGS = "[metadata]\nversion = 0.1.0\n"


@pytest.mark.parametrize("page", reference.PAGES)
def test_a_page_is_current(page: str) -> None:
    written = (reference.DIRECTORY / page).read_text(encoding="utf-8")
    assert written == reference.PAGES[page](), "make reference"


@pytest.mark.parametrize("kind", [Environment, Organization])
def test_every_key_has_a_meaning(kind: type) -> None:
    rows = list(environment_keys._rows(kind, ()))
    assert not [row[1] for row in rows if not row[4]]
    keys = {row[0] for row in rows}
    assert not [row[1] for row in rows if len(row[0]) > 1 and row[0][:1] in environment_keys.edits_of() and row[0][:1] not in keys]


def test_what_an_edit_changes_is_measured() -> None:
    assert "replaces site.Bucket" in environment_keys._effect(("bucket",))
    assert environment_keys._effect(("price_class",)) == "site"
    assert environment_keys._effect(("publishing", "release_keep")).startswith("no stack")
    assert environment_keys._effect(("firewall", "log_retention_days")) == "firewall", "only where there are logs"
    assert environment_keys._effect(("github", "owner_id")) == "foundation", "only with the repository's id"
    assert environment_keys._effect(("foundation",)).startswith("foundation (comes or goes)")
    assert environment_keys._effect(("hosted_zone", "id")) == "see `hosted_zone`"


# --- release ------------------------------------------------------------------------------------------------------


def test_a_release_closes_the_changelog_and_writes_the_version() -> None:
    changelog, settings = release.released(CHANGELOG, SETTINGS, "0.2.0", TODAY)
    assert changelog.startswith("# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-12-01\n\n- Something.\n\n## 0.1.0")
    assert settings == "[metadata]\nversion = 0.2.0\n"


@pytest.mark.parametrize(
    ("version", "changelog", "reason"),
    [
        ("", CHANGELOG, "is no version"),
        ("v1.0.0", CHANGELOG, "is no version"),
        ("1.0", CHANGELOG, "is no version"),
        ("0.0.9", CHANGELOG, "older"),
        ("0.1.0", CHANGELOG, "already"),
        ("0.2.0", CHANGELOG.replace("- Something.\n\n", ""), "nothing stands"),
        ("0.2.0", "# Changelog\n", "nothing stands"),
    ],
)
def test_what_a_release_refuses(version: str, changelog: str, reason: str) -> None:
    with pytest.raises(release.Refused, match=reason):
        release.released(changelog, SETTINGS, version, TODAY)


def git(root: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    return subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "setup.cfg").write_text(SETTINGS)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "since.json").write_text('{"commands": {"plan": "0.1.0"}, "keys": {}}')
    (tmp_path / "docs" / "page.md").write_text("since unreleased")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "config", "user.name", "t")
    git(tmp_path, "config", "user.email", "t@example.org")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def released(checkout: Path) -> str:
    def rewrite() -> None:
        (checkout / "docs" / "page.md").write_text("since 0.2.0")

    return release.release(checkout, "0.2.0", TODAY, {"commands": ("plan", "apply"), "keys": ("domain",)}, rewrite)


def test_a_release_is_a_commit_with_a_tag(checkout: Path) -> None:
    assert released(checkout) == "git push --follow-tags origin main"
    assert git(checkout, "describe") == "v0.2.0"
    assert git(checkout, "status", "--porcelain") == ""
    since = json.loads((checkout / "docs" / "since.json").read_text())
    assert since == {"commands": {"plan": "0.1.0", "apply": "0.2.0"}, "keys": {"domain": "0.2.0"}}
    with pytest.raises(release.Refused):
        released(checkout)


def test_a_checkout_with_changes_is_not_released(checkout: Path) -> None:
    (checkout / "new").write_text("x")
    with pytest.raises(release.Refused, match="not committed"):
        released(checkout)
    assert "0.2.0" not in (checkout / "CHANGELOG.md").read_text()
