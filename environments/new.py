"""A further environment, written after one that there is: `build.py new-environment NAME --from OTHER`.

In: the directory of environment files, the two names. Out: the text of the new file, which builds; what differs in it.
Never: writes, changes another file, or gives out a name that another environment has.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from environments.across import ORGANIZATION
from environments.loader import load, names
from environments.problems import EnvironmentProblems, Key, Problem, dotted
from environments.reading import Document, parse

NAME_HINT = "lower-case letters, digits and hyphens, 2 to 30 long"
NAME = re.compile(r"[a-z][a-z0-9-]{0,28}[a-z0-9]")
ONE_OF_EACH: tuple[Key, ...] = (
    ("bucket",),
    ("artifacts", "bucket"),
    ("artifacts", "lock_table"),
    ("disaster_recovery", "bucket"),
)
"""Names that AWS gives out once: where the other environment's name is no part of them, the new one is added."""


@dataclass(frozen=True, kw_only=True)
class New:
    """The new file."""

    text: str
    changed: tuple[tuple[str, str], ...]
    """Key and value that differ from the other environment's."""


def new_environment(directory: Path, name: str, other: str, *, account_id: str = "", domain: str = "") -> New:
    """The file of environment `name`, after `other`. Raises `EnvironmentProblems` where it would not build."""
    target = directory / f"{name}.yaml"
    if not NAME.fullmatch(name):  # a way through directories is none, and is not looked for
        raise EnvironmentProblems((Problem(str(target), 1, "", f"{name!r} is no environment name; {NAME_HINT}"),))
    if other == ORGANIZATION:
        raise EnvironmentProblems(
            (Problem(str(directory / f"{other}.yaml"), 1, "", "is of no site: begin with an environment that has one"),)
        )
    if target.exists():
        raise EnvironmentProblems((Problem(str(target), 1, "", "there is such an environment already"),))
    load(directory, (other,))  # with the words for a name that is not there, and nobody writes after a file that does not build
    problems: list[Problem] = []
    own, common = parse(directory / f"{other}.yaml", problems), parse(directory / "common.yaml", problems)
    assert own is not None and common is not None and not problems, "they have just been loaded"
    text = target_text = (directory / f"{other}.yaml").read_text(encoding="utf-8")
    changed: dict[Key, str] = {}
    bucket = str(own.data.get("bucket"))
    for key in own.lines:
        value = _value(own.data, key)
        if not isinstance(value, str):
            continue
        if key == ("disaster_recovery", "bucket"):  # a replica's name begins with its bucket's
            wanted = _wanted(("bucket",), bucket, (other, name)) + value.removeprefix(bucket)
        else:
            wanted = _wanted(key, value, (other, name), account_id=account_id, domain=domain)
        if wanted != value:
            target_text, changed[key] = _with(target_text, own, key, value, wanted), wanted
    if account_id in ("", own.data.get("account_id")) and _provides(own, common):
        target_text = _without_provider(target_text, own)
        changed["github", "create_provider"] = "false, as the account has a provider already"
    assert target_text != text or not changed
    made = New(text=target_text, changed=tuple((dotted(key), value) for key, value in changed.items()))
    _must_build(directory, name, made.text)
    return made


def _wanted(key: Key, value: str, names_: tuple[str, str], *, account_id: str = "", domain: str = "") -> str:
    other, name = names_
    if key == ("account_id",):
        return account_id or value
    renamed = re.sub(rf"(?<![A-Za-z0-9]){re.escape(other)}(?![A-Za-z0-9])", name, value)
    if key == ("domain",):
        return domain or (renamed if renamed != value else f"{name}.{value}")
    if key in ONE_OF_EACH and renamed == value:
        return f"{value}-{name}"
    return value if key in (("home_region",), ("price_class",), ("publishing", "promote_from")) else renamed


def _value(data: Any, key: Key) -> Any:
    for part in key:
        data = data[part]
    return data


def _with(text: str, document: Document, key: Key, value: str, wanted: str) -> str:
    """The text with one value changed in the line of its key; the comments stay."""
    lines = text.split("\n")
    at = document.lines[key] - 1
    begin = re.search(rf"{re.escape(str(key[-1]))}\s*:", lines[at])
    start = begin.end() if begin else 0
    lines[at] = lines[at][:start] + re.sub(rf"(?<![\w.-]){re.escape(value)}(?![\w.-])", lambda _: wanted, lines[at][start:], count=1)
    return "\n".join(lines)


def _provides(own: Document, common: Document) -> bool:
    github: dict[str, Any] = {**(common.data.get("github") or {}), **(own.data.get("github") or {})}
    return bool(github.get("create_provider", True)) and "repository" in github


def _without_provider(text: str, own: Document) -> str:
    github = own.data.get("github")
    if not github:
        return text.rstrip("\n") + "\n\ngithub:\n  create_provider: false # an account has one provider\n"
    document: dict[str, Any] = yaml.safe_load(text)
    document["github"] = {**github, "create_provider": False}
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("# yaml-language-server"))
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _must_build(directory: Path, name: str, text: str) -> None:
    """Raise `EnvironmentProblems` if it clashes with another environment, or is none."""
    with tempfile.TemporaryDirectory(prefix="environment-") as folder:
        tried = Path(folder)
        for file in (*names(directory), "common"):
            shutil.copyfile(directory / f"{file}.yaml", tried / f"{file}.yaml")
        (tried / f"{name}.yaml").write_text(text, encoding="utf-8")
        try:
            load(tried, (name,))
        except EnvironmentProblems as error:
            moved = (Problem(str(directory / Path(p.file).name), p.line, p.key, p.message) for p in error.problems)
            raise EnvironmentProblems(tuple(moved)) from None
