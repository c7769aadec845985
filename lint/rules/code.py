"""Code in a template: it is JavaScript that parses.

In: a template. Out: syntax errors of CloudFront Functions and of inline Lambda code, as Node.js says them; a missing handler, a module or
a word that the runtime does not have; a CloudFront Function that is used and not published.
Never: runs the code. Where there is no Node.js nothing is judged.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache

from guards.processes import child_environment
from lint.rules.base import Problem, Rule
from lint.rules.edge import behaviours
from templates.view import ABSENT, EACH, Node, View, reference

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
            if node.text and (said := syntax_error(_HELPER.sub("", node.text))):
                yield node.path, said


_MODULES = ("buffer", "cloudfront", "crypto", "querystring")
_REQUIRED = re.compile(r"""(?:\brequire\s*\(\s*|^\s*import\b[^'"]*)['"]([^'"]+)['"]""", re.MULTILINE)
_HANDLES = re.compile(r"\bfunction\s+handler\b|\bhandler\s*=")
_NEWER = re.compile(r"(?<![.\w$])(const|let|async|await|class)\s+[\w$({\[]")
_NOISE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|([(,=:\[!&|?{};]\s*)/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^]\\\n]|\\.)*])+/"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`""",
    re.DOTALL,
)
"""Comments, patterns (with what stands before one) and texts, for searches among the words of the code alone."""


class EdgeRuntime(Rule):
    id = "E9111"
    shortdesc = "The code of a CloudFront Function has a function `handler`, and uses what its runtime has"
    description = f"Modules: {', '.join(_MODULES)}. cloudfront-js-1.0 has neither const and let nor async, await and classes."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-features.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::CloudFront::Function"):
            for node in view.at(properties, "FunctionCode"):
                if node.text:
                    first = any(each.text == "cloudfront-js-1.0" for each in view.at(properties, "FunctionConfig", "Runtime"))
                    yield from ((node.path, said) for said in _unknown_to_the_runtime(node.text, first=first))


def _unknown_to_the_runtime(code: str, *, first: bool) -> Iterator[str]:
    for module in _REQUIRED.findall(_NOISE.sub(lambda found: found[0] if found[0][0] in "\"'" else "", code)):
        if module not in _MODULES:
            yield f"there is no module {module}; the runtime has {', '.join(_MODULES)}"
    words = _NOISE.sub(r"\1''", code)
    if not _HANDLES.search(words) and "${" not in words:
        yield "no function handler: CloudFront calls it by that name"
    if first and (newer := _NEWER.search(words)):
        yield f"cloudfront-js-1.0 has no {newer[1]}; use cloudfront-js-2.0"


class Published(Rule):
    id = "E9112"
    shortdesc = "A CloudFront Function that a distribution uses is published"
    description = "AutoPublish true; a distribution takes functions of the stage LIVE only."
    source_url = "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_FunctionAssociations.html"

    def check(self, view: View) -> Iterator[Problem]:
        used = {
            target.name
            for behaviour in behaviours(view)
            for node in view.at(behaviour, "FunctionAssociations", EACH, "FunctionARN")
            if (target := reference(node))
        }
        for function in view.resources("AWS::CloudFront::Function"):
            if function.path[1] in used:
                for node in view.at(view.properties_of(function), "AutoPublish"):
                    if node.value is ABSENT or (node.known and not node.is_true()):
                        yield node.path, "AutoPublish must be true: the function stays in the stage DEVELOPMENT"


class InlineHandler(Rule):
    id = "E9113"
    shortdesc = "The handler of inline code is a name that the code has, in the file index"
    description = "CloudFormation writes ZipFile into index.js or index.py; Lambda fails at every call if Handler names something else."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::Lambda::Function"):
            for node in view.at(properties, "Handler"):
                for code in view.at(properties.when(node), "Code", "ZipFile"):
                    file, _, name = (node.text or "").rpartition(".")
                    if not node.text or "${" in node.text or code.value is ABSENT:
                        continue
                    if file != "index":
                        yield node.path, f"{node.text} is in {file or 'no file'}; inline code is in index"
                    elif code.text and not re.search(rf"\b{re.escape(name)}\b", code.text):
                        yield node.path, f"the code has no {name}"


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
        return _said_by_node(node, code)
    except (OSError, subprocess.TimeoutExpired):
        return None


@lru_cache(maxsize=256)
def _said_by_node(node: str, code: str) -> str | None:
    """Once for each code: environments have the same functions. A failure is no answer, so not kept."""
    done = subprocess.run(  # noqa: S603
        [node, "--check", "-"],
        input=code.encode("utf-8", "replace"),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=child_environment(),
    )
    said = re.search(r"^SyntaxError: .*$", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
    line = re.search(r"^\[stdin\]:(\d+)", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
    return f"{said[0]}{f' (line {line[1]} of the code)' if line else ''}" if done.returncode and said else None
