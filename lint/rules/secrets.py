"""Secrets: none in a template, in whatever disguise.

In: a template. Out: literals that look like a secret, and parameters that would show one.
Never: repeats the literal in a message (a lint report is as public as a template).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from templates.view import Node, View, logical_id, mapping

_NO_ECHO = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html"

_SHAPES = (
    ("an AWS access key id", re.compile(r"\b(AKIA|ASIA)[A-Z2-7]{16}\b")),
    ("a private key", re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----")),
    ("a JSON web token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    ("a GitHub token", re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a password hash", re.compile(r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|\$(argon2\w*|scrypt|s0|[156])\$[./A-Za-z0-9=,]{4,}\$")),
    ("a password hash", re.compile(r"\$hmac-sha256\$[./A-Za-z0-9]{4,}\$")),
    ("a password hash", re.compile(r"\bscrypt[:$]\w+[:$]")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@${}]+:[^/\s:@${}]+@")),
)
_BASIC = re.compile(r"\bBasic ([A-Za-z0-9+/]{8,}={0,2})")
_ASSIGNED = re.compile(
    r"(?i)\b(password|passwd|passphrase|secret|secret[_-]?(?:access[_-]?)?key|api[_-]?key|(?:access|auth)[_-]?token)\s*=\s*([^\s&;,\"'`${}<>]{6,})"
)
_ASSIGNED_IN_CODE = re.compile(
    r"(?i)\b[\w$]*(password|passwd|passphrase|secret|token|api_?key|credential)[\w$]*[\"']?\s*[:=]\s*([\"'`])([^\"'`\s]{6,})\2"
)
_WORDS = re.compile(r"[A-Za-z]+([-_.:/][A-Za-z]+)*")
_SECRET_KEY = re.compile(r"[A-Za-z0-9/+]{40}")
_SECRET_NAMES = frozenset(
    (
        "adminpassword",
        "apikey",
        "authtoken",
        "clientsecret",
        "masterpassword",
        "masteruserpassword",
        "oauthtoken",
        "passphrase",
        "password",
        "passwordhash",
        "personalaccesstoken",
        "privatekey",
        "secretaccesskey",
        "secretstring",
        "userpassword",
    )
)
_SECRET_VARIABLE = re.compile(r"(password|passwd|passphrase|passwordhash|secret|secretkey|apikey|token|privatekey|accesskey)$")
_SECRET_PARAMETER = re.compile(r"(?i)password|passwd|passphrase|secret|credential|token|private_?key|api_?key|access_?key")
_NOT_THE_SECRET = re.compile(r"(?i)(arn|id|name|version|digest|path|region|ttl|seconds|days|enabled)$")
_NAMES_ONLY = frozenset(("Ref", "Fn::GetAtt", "DependsOn", "Type", "Condition"))
_CODE = frozenset(("ZipFile", "FunctionCode"))


def looks_secret(text: str, *, code: bool) -> str | None:
    """What secret a text looks like, None if it looks like none. In code only quoted literals count as assigned values."""
    for what, pattern in _SHAPES:
        if pattern.search(text):
            return what
    for match in _BASIC.finditer(text):
        if _is_credential(match[1]):
            return "Basic credentials"
    if not code:
        if _SECRET_KEY.fullmatch(text) and all(any(test(c) for c in text) for test in (str.isupper, str.islower, str.isdigit)):
            return "an AWS secret access key"
        return "an assigned password" if _ASSIGNED.search(text) else None
    for match in _ASSIGNED_IN_CODE.finditer(text):
        value = match[3]
        if not ("${" in value or value.startswith(("{{resolve:", "__", "<")) or _WORDS.fullmatch(value)):
            return "an assigned password"
    return None


def _is_credential(encoded: str) -> bool:
    try:
        decoded = base64.b64decode(encoded)
    except binascii.Error:
        decoded = b""
    return b":" in decoded


def _is_literal(text: str) -> bool:
    return bool(text) and not text.startswith(("{{resolve:", "arn:", "${")) and text.lower() not in ("true", "false")


class SecretLiteral(Rule):
    id = "E9601"
    shortdesc = "No literal looks like a secret"
    description = "Keys, tokens, passwords and their hashes come in as NoEcho parameters or dynamic references."
    source_url = _NO_ECHO

    def check(self, view: View) -> Iterator[Problem]:
        for node in view.strings(Node((), view.template)):
            if _NAMES_ONLY.intersection(node.path[-2:]):
                continue
            what = looks_secret(node.value, code=bool(_CODE.intersection(node.path)) or "\n" in node.value) or self._by_name(node)
            if what:
                yield node.path, f"looks like {what}; hand it in as a NoEcho parameter or a dynamic reference"

    @staticmethod
    def _by_name(node: Node) -> str | None:
        names = [re.sub(r"[^a-z0-9]", "", part.lower()) for part in node.path if isinstance(part, str)]
        if node.path[:1] != ("Resources",) or not _is_literal(node.value) or "Metadata" in node.path[2:3]:
            return None
        if names[-1] in _SECRET_NAMES or ("Variables" in node.path and _SECRET_VARIABLE.search(names[-1])):
            return "a secret by its name"
        return None


class SecretParameter(Rule):
    id = "E9602"
    shortdesc = "A parameter that takes a secret is NoEcho"
    description = "Otherwise everyone who may describe the stack reads it."
    source_url = _NO_ECHO

    def check(self, view: View) -> Iterator[Problem]:
        for parameter in view.section("Parameters"):
            name = logical_id(parameter)
            secret = _SECRET_PARAMETER.search(name) and not _NOT_THE_SECRET.search(name)
            if secret and mapping(parameter.value).get("Type") == "String" and not _no_echo(parameter):
                yield parameter.path, "a secret by its name, so it must be NoEcho"


class SecretDefault(Rule):
    id = "E9603"
    shortdesc = "A NoEcho parameter has no default"
    description = "A default stands in the template for everyone to read."
    source_url = _NO_ECHO

    def check(self, view: View) -> Iterator[Problem]:
        for parameter in view.section("Parameters"):
            if _no_echo(parameter):
                for name in ("Default", "AllowedValues"):
                    if parameter.value.get(name):
                        yield (*parameter.path, name), f"a NoEcho parameter with {name} shows the secret in the template"


class DynamicReferenceInCode(Rule):
    id = "E9604"
    shortdesc = "Code has no dynamic reference"
    description = "CloudFormation would write the secret into the function's code, readable to all who may get the function."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"

    def check(self, view: View) -> Iterator[Problem]:
        for node in view.strings(Node((), view.template)):
            if _CODE.intersection(node.path) and re.search(r"\{\{resolve:(secretsmanager|ssm-secure|ssm):", node.value):
                yield node.path, "a dynamic reference in code; read the secret at run time, or hand in a hash as a NoEcho parameter"


def _no_echo(parameter: Node) -> bool:
    return Node((), mapping(parameter.value).get("NoEcho")).is_true()
