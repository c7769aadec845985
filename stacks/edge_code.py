"""The code that runs at the edge, composed from the sources in lambda/.

In: an `EdgeConfig` and, for Basic Auth, the CloudFormation function that yields the password hash (a NoEcho parameter).
Out: the inline code of the Lambda@Edge function, the code of the CloudFront Function.
Never: a password or its hash as text (the hash stays a reference), a file outside lambda/, the network, the clock.

The sources run as they stand under Node.js. Two kinds of marked blocks are handled here: the "build" block is replaced by route(),
the configuration and the hash, and "node only" blocks are dropped. Comment lines and indentation are dropped as well, since the code
travels inside a template of at most 51,200 bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from troposphere import AWSHelperFn, Join

from assembly.errors import Problems

PASSWORD_HASH_PATTERN = (
    r"^\$(scrypt\$ln=1[45],r=8,p=1|hmac-sha256)"  # noqa: S105
    r"\$[A-Za-z0-9+/]{21}[AQgw]\$[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$"
)
"""AllowedPattern of the parameter that carries the hash, in PHC string form: scrypt with N 2^14 or 2^15, r 8, p 1, or HMAC-SHA-256 of a
generated password; 16 octets of salt and 32 of hash in unpadded canonical base64. None of its characters can end the JavaScript string that
the value is placed in. PHC string format: https://github.com/P-H-C/phc-string-format"""

VIEWER_REQUEST_LIMIT = 10_240
"""Bytes of a CloudFront Function. Source: CloudFront quotas, "Maximum function size"."""

BASIC_AUTH_LIMIT = 16_384
"""Bytes that we allow the inline Lambda@Edge code, so that the rest of the template has room below 51,200."""

_LAMBDA = Path(__file__).resolve().parent.parent / "lambda"
_BUILD = re.compile(r"^// --- build:[^\n]*\n.*?^// --- end build ---\n", re.MULTILINE | re.DOTALL)
_NODE_ONLY = re.compile(r"^// --- node only ---\n.*?^// --- end node only ---\n", re.MULTILINE | re.DOTALL)
_HASH_MARK = "\x00"
_PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*[A-Za-z0-9._~-]+\Z")
_VISIBLE = re.compile(r"[\x20-\x7e]+\Z")


class EdgeCodeError(Problems):
    """Configuration or sources that no edge code can be made of; one line a problem."""


@dataclass(frozen=True)
class EdgeConfig:
    """What the edge code is told at build time. Raises EdgeCodeError with every problem at once."""

    username: str
    """Basic Auth user name; not secret. RFC 7617: no colon and no control characters."""
    realm: str
    """Realm of the challenge. It has no encoding beyond ASCII (RFC 9110, quoted-string): the code sends anything else as "?"."""
    entry_path: str
    """Path of the app ("/buy"), or "/"."""
    index_document: str
    """Path of the document that the app's routes answer with ("/index.html")."""
    health_path: str
    """Path that answers 200 without credentials; empty for none. Served by the Basic Auth function only."""
    domain: str = ""
    """Where the redirect hosts lead."""
    file_extensions: tuple[str, ...] = ()
    """In lower case, without the dot: a path that ends so is a file."""
    hashed_paths: tuple[str, ...] = ()
    """Path patterns of CloudFront, with their leading slash, below which everything is a file."""
    redirects: tuple[tuple[str, str, int], ...] = ()
    """Path, where it leads, status; an asterisk at both ends stands for the rest."""
    redirect_hosts: tuple[str, ...] = ()
    strict_transport_security: str = "max-age=63072000; includeSubDomains"
    """Strict-Transport-Security of generated responses, to which the response headers policy is not known to apply."""

    def __post_init__(self) -> None:
        rules = (
            (_is_username(self.username), "edge code: username must be 1 to 255 octets without colon or control characters"),
            (self.entry_path == "/" or _is_path(self.entry_path), _path_problem("entry_path", self.entry_path)),
            (_is_path(self.index_document), _path_problem("index_document", self.index_document)),
            (self.health_path == "" or _is_path(self.health_path), _path_problem("health_path", self.health_path)),
            (
                self.health_path not in (self.entry_path, self.index_document),
                f"edge code: health_path {self.health_path!r} is a page of the app, which would then need no credentials",
            ),
            (
                _VISIBLE.match(self.strict_transport_security) is not None,
                "edge code: strict_transport_security must be one line of visible ASCII",
            ),
            (
                # What follows a slash at the beginning would be the name of another host.
                all(re.match(r"/(?!/)[\x21-\x5b\x5d-\x7e]*\Z", to) for _, to, _ in self.redirects),
                "edge code: a redirect must lead to a path of the site",
            ),
            (not self.redirect_hosts or self.domain != "", "edge code: redirect hosts need the domain that they lead to"),
        )
        problems = tuple(problem for holds, problem in rules if not holds)
        if problems:
            raise EdgeCodeError(problems)


def basic_auth_code(config: EdgeConfig, password_hash: AWSHelperFn) -> Join:
    """`ZipFile` of the Lambda@Edge function: literals around `password_hash`, which CloudFormation fills in.

    A Join, since the code is full of "${", which Fn::Sub would read as its own. Raises EdgeCodeError where the code is too large.
    """
    before, after = _basic_auth_parts(config)
    return Join("", [before, password_hash, after])


@lru_cache(maxsize=256)
def viewer_request_code(config: EdgeConfig) -> str:
    """`FunctionCode` of the CloudFront Function, runtime cloudfront-js-2.0. Raises EdgeCodeError where it is too large."""
    settings = {**_settings(config), "healthPath": ""}
    del settings["username"], settings["realm"]
    code = _composed("viewer-request/index.js", f"var CONFIG = {_javascript(settings)};\n")
    _bounded("CloudFront Function", code, VIEWER_REQUEST_LIMIT)
    return code


@lru_cache(maxsize=256)
def _basic_auth_parts(config: EdgeConfig) -> tuple[str, str]:
    code = _composed("basic-auth/index.js", f'const CONFIG = {_javascript(_settings(config))};\nconst PASSWORD_HASH = "{_HASH_MARK}";\n')
    _bounded("Basic Auth function", code, BASIC_AUTH_LIMIT)
    before, after = code.split(_HASH_MARK)
    return before, after


def _composed(source: str, configuration: str) -> str:
    head, tail = _split(source)
    return head + _route() + configuration + tail


@lru_cache(maxsize=8)
def _split(source: str) -> tuple[str, str]:
    return _cut(_read(source), source)


def _cut(text: str, source: str) -> tuple[str, str]:
    parts = _BUILD.split(text)
    if len(parts) != 2:
        raise EdgeCodeError((f"{_LAMBDA / source}: must have exactly one block from '// --- build: ...' to '// --- end build ---'",))
    return _compact(parts[0]), _compact(parts[1])


@lru_cache(maxsize=1)
def _route() -> str:
    return _compact(_read("routing/route.js"))


def _read(source: str) -> str:
    try:
        return (_LAMBDA / source).read_text(encoding="utf-8")
    except OSError as error:
        raise EdgeCodeError((f"{_LAMBDA / source}: {error.strerror}",)) from error


def _compact(code: str) -> str:
    """Without node-only blocks, comment lines, blank lines and indentation. The sources have no literal that spans lines."""
    lines = (line.strip() for line in _NODE_ONLY.sub("", code).splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def _settings(config: EdgeConfig) -> dict[str, Any]:
    values = {**asdict(config), "file_extensions": f" {' '.join(config.file_extensions)} "}
    return {re.sub(r"_(.)", lambda match: match[1].upper(), name): value for name, value in values.items()}


def _javascript(value: Any) -> str:
    """A JavaScript literal in ASCII: JSON, in which U+2028 and its like are escaped, and "<" as well for whoever shows code in a page."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True).replace("<", "\\u003c")


def _bounded(what: str, code: str, limit: int) -> None:
    size = len(code.encode())
    if size > limit:
        raise EdgeCodeError(
            (f"edge code: the {what} has {size:,} bytes, {limit:,} are allowed; make lambda/ or its configuration smaller",)
        )


def _is_path(value: str) -> bool:
    return _PATH.match(value) is not None and not {".", ".."} & set(value.split("/"))


def _is_username(value: str) -> bool:
    return re.match(r"[^:\x00-\x1f\x7f\ud800-\udfff]+\Z", value) is not None and len(value.encode()) <= 255


def _path_problem(field: str, value: str) -> str:
    return f"edge code: {field} must be an absolute path of unreserved characters without trailing slash, not {value!r}"
