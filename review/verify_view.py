"""The results of `verify` as a table, as JUnit XML and for machines. In: results. Out: text, data. Never: judges, prints."""

from __future__ import annotations

import re
import textwrap
import xml.etree.ElementTree as ET  # only written, never parsed
from collections.abc import Iterable
from typing import Any

from guards.text import painted, printable
from verification.model import Result

_MARKS = {"passed": ("ok", "32"), "failed": ("FAIL", "31;1"), "skipped": ("skip", "33")}
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def line(result: Result, *, width: int, colour: bool) -> str:
    """One row: mark, promise, what was seen (wrapped below where it does not fit)."""
    word, code = _MARKS[result.status]
    mark = painted(f"{word:<4}", code) if colour else f"{word:<4}"
    clean = printable(result.detail)
    head = f"{result.title:<58}"
    if 6 + len(head) + 2 + len(clean) <= width:
        return f"{mark}  {head}  {clean}".rstrip()
    below = textwrap.wrap(clean, max(20, width - 8)) if clean else []
    return "\n".join([f"{mark}  {result.title}", *(f"      | {part}" for part in below)])


def summary(results: tuple[Result, ...], environment: str) -> str:
    """The last line, which counts."""
    counts = {status: sum(r.status == status for r in results) for status in _MARKS}
    said = [f"{counts['passed']} passed"] + [f"{counts[s]} {s}" for s in ("failed", "skipped") if counts[s]]
    return f"{environment}: {', '.join(said)}"


def wanting(results: Iterable[Result]) -> tuple[str, ...]:
    """A line for each thing that the caller could give: what, and how many checks wait for it."""
    given = [r.give for r in results if r.status == "skipped" and r.give]
    return tuple(f"incomplete: {given.count(each)} not looked at for want of {each}" for each in dict.fromkeys(given))


def data(results: tuple[Result, ...], *, environment: str, domain: str) -> dict[str, Any]:
    """For machines."""
    return {"environment": environment, "domain": domain, "incomplete": wanting(results), "results": results}


def as_junit(results: tuple[Result, ...], *, environment: str) -> str:
    """JUnit XML, the form that CI systems show as tests."""
    counts = {status: sum(r.status == status for r in results) for status in _MARKS}
    attributes = {
        "name": f"verify {environment}",
        "tests": str(len(results)),
        "failures": str(counts["failed"]),
        "skipped": str(counts["skipped"]),
        "errors": "0",
    }
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", attributes)
    for result in results:
        group, _, _ = result.id.partition(".")
        case = ET.SubElement(suite, "testcase", classname=f"verify.{environment}.{group}", name=result.title)
        detail = _NOT_XML.sub("?", result.detail)
        if result.status == "failed":
            ET.SubElement(case, "failure", message=detail).text = detail
        elif result.status == "skipped":
            ET.SubElement(case, "skipped", message=detail)
        else:
            ET.SubElement(case, "system-out").text = detail
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
