"""Code in a template: it is JavaScript that parses.

In: a template. Out: syntax errors of CloudFront Functions and of inline Lambda code, as Node.js says them.
Never: runs the code. Where there is no Node.js nothing is judged.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

from guards.processes import child_environment
from lint.rules.base import Problem, Rule
from lint.rules.view import Node, View

SECONDS = 20
_HELPER = re.compile(r"""^\s*import\s+\w+\s+from\s+['"]cloudfront['"];?""", re.MULTILINE)
"""The one module that cloudfront-js-2.0 has; the rest is checked as a script."""


class Parses(Rule):
    id = "E9110"
    shortdesc = "Code in a template is JavaScript that parses"
    description = "CloudFront refuses a function with a syntax error; Lambda takes it and fails at every call. Checked where Node.js is."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html"

    def check(self, view: View) -> Iterator[Problem]:
        for node in _code(view):
            said = syntax_error(_HELPER.sub("", node.text or "")) if node.text else None
            if said:
                yield node.path, said


def _code(view: View) -> Iterator[Node]:
    for properties in view.properties("AWS::CloudFront::Function"):
        yield from view.at(properties, "FunctionCode")
    for properties in view.properties("AWS::Lambda::Function"):
        if any((node.text or "").startswith("nodejs") for node in view.at(properties, "Runtime")):
            yield from view.at(properties, "Code", "ZipFile")


def syntax_error(code: str) -> str | None:
    """What Node.js says about the syntax, or None; also None where there is no Node.js."""
    node = shutil.which("node")
    if node is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603
            [node, "--check", "-"],
            input=code.encode("utf-8", "replace"),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=child_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r"^(SyntaxError: .*)$", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
    line = re.search(r"^\[stdin\]:(\d+)", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
    return f"{said[1]}{f' (line {line[1]} of the code)' if line else ''}" if done.returncode and said else None
