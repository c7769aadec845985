# mypy: allow-untyped-calls
"""The only way into the local AWS: who does not know the server's secret gets nothing but a refusal.

In: every request that reaches the port. Out: to MiniStack those that are
  - addressed to this machine by this port's own name, and not sent by a page in a browser (Origin, Sec-Fetch-*);
  - signed (Signature Version 4) with the server's secret as the account's, or with a key that the local AWS itself gave to somebody who
    had it: an assumed role, an access key. AssumeRoleWithWebIdentity is not signed, at AWS neither; its token has to be.
  - for an action of `served`, with parameters that the service's model allows (`requests`).
Never: lets something through that it does not understand, answers a preflight, lets a page of another origin read an answer (no CORS header
leaves), or says why a signature is wrong.

Anybody on the machine can reach the port: other users, containers, every page that a browser shows. MiniStack asks none of them who
they are.

Sources: IAM user guide, "Create a signed AWS API request"; Fetch standard, "HTTP extensions" (Origin, preflight, Sec-Fetch-*).
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator, responses, router, sigv4

from api_rules.requests import refusal
from emulator import requests
from local_aws.proof import is_web_identity, proof, same
from local_aws.served import SERVED

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL = "/_local_aws/"
Stop = Callable[[str], str]
"""Told "stop" or "forget"; why the server goes on, as its state cannot be saved, or nothing."""
BODY_BYTES = 16 * 1024 * 1024
"""The most that is read of a request to anything but S3: AWS's own services take less."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"})
_ACCOUNT = re.compile(r"\d{12}")
_VIEWER_HOST = re.compile(r"[a-z0-9]+\.cloudfront\.net")
_BUCKET = re.compile(r"/((?!v20180820/)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?)?", re.DOTALL)
"""All buckets, one, or an object; not S3 Control, whose paths begin with the date."""
_S3_QUERY = re.compile(
    r"uploads|uploadId|partNumber|versions|versionId|versioning|policy|replication|tagging|location|attributes|delete|list-type|prefix|delimiter|marker"
    r"|start-after|fetch-owner|continuation-token|bucket-region|encoding-type|(key|version-id|upload-id|part-number)-marker"
    r"|max-(keys|buckets|uploads|parts)|x-id|response-[a-z-]+|X-Amz-[A-Za-z0-9-]+"
)
"""A parameter of S3 names another operation: ?select computes, ?notification calls others."""
_S3_SETTINGS = frozenset({"acl", "encryption", "lifecycle", "ownershipControls", "publicAccessBlock", "website"})
"""Of a bucket as others would have made it; of an object they are not offered."""
_LAMBDA = re.compile(
    r"GET /2015-03-31/functions/?|(GET|DELETE) /2015-03-31/functions/[^/]+"
    r"|GET /2015-03-31/functions/[^/]+/(configuration|versions)|PUT /2015-03-31/functions/[^/]+/(configuration|code)"
    r"|POST /2015-03-31/functions/?|POST /2015-03-31/functions/[^/]+/versions"
)
"""IAM's names are taken from the path too coarsely here to tell invocations from everything else."""
_SIGNED_FOR = re.compile(rb"Credential=[^/]*/[^/]*/[^/]*/([^/]+)/")
_ROUTED_AS = {"cloudcontrolapi": "cloudcontrol"}
"""Services that requests are signed for under another name than MiniStack's."""
_XML = frozenset({b"s3", b"cloudfront", b"route53"})
_FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """A request that goes no further, with what its sender is told."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a request says of itself before its body is read."""

    method: str
    path: str
    raw_path: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]

    @classmethod
    def of(cls, scope: Scope, hosts: re.Pattern[str]) -> Request:
        """`Refused` if a browser may have sent it, if it is not for us, or if it can be read in two ways."""
        pairs = [(name.decode("latin-1").lower(), sigv4.decode_header_value(value)) for name, value in scope["headers"]]
        headers = dict(pairs)
        raw_path: str = scope["raw_path"].decode("latin-1")
        if scope["http_version"] not in ("1.0", "1.1"):
            raise Refused("BadRequest", "only HTTP/1 is spoken here", 400)
        if not hosts.fullmatch(headers.get("host", "")):
            raise Refused("AccessDenied", "the Host is not this server")
        if any(name == "origin" or name.startswith(("sec-fetch-", "access-control-")) for name in headers):
            raise Refused("AccessDenied", "the local AWS is not for pages in a browser")
        if len(headers) != len(pairs) or {"content-length", "transfer-encoding"} <= headers.keys() or "upgrade" in headers:
            raise Refused("BadRequest", "an ambiguous request", 400)
        if scope["method"] not in _METHODS or not raw_path.startswith("/"):
            raise Refused("BadRequest", "no request of AWS's", 400)
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return cls(method=scope["method"], path=scope["path"], raw_path=raw_path, headers=headers, query=query)

    @property
    def viewers(self) -> bool:
        """Whether it is one to a distribution."""
        return _VIEWER_HOST.fullmatch(self.headers["host"]) is not None


class Door:
    """In front of `inner`, which only sees what may pass; answers for the server's own paths itself."""

    def __init__(self, inner: Asgi, *, secret: str, port: int, stop: Stop, any_port: bool = False, viewers: bool = False) -> None:
        """`any_port`: a test's proxy on this machine hands on requests that are addressed to itself. `viewers`: distributions answer."""
        self._inner = inner
        self._secret = secret
        self._stop = stop
        hosts = r"(127\.0\.0\.1|localhost):" + (r"\d{1,5}" if any_port else str(port))
        self._hosts = re.compile(f"{hosts}|{_VIEWER_HOST.pattern}" if viewers else hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = Request.of(scope, self._hosts)
            if request.path.startswith(CONTROL):
                await _answer(send, 200, self._control(request))
                return
            receive = await self._proven(request, receive)
        except Refused as refused:
            await _refuse(scope, send, refused)
        except Exception:
            # Whatever cannot be understood is not let through, and its sender learns nothing from it.
            logging.getLogger(__name__).warning("a request that the door cannot read", exc_info=True)
            await _refuse(scope, send, Refused("BadRequest", "not understood", 400))
        else:
            await self._inner(scope, receive, _without_cors(send))

    def _control(self, request: Request) -> dict[str, Any]:
        what, nonce = request.path.removeprefix(CONTROL), request.headers.get("x-local-aws-nonce", "")
        given = request.headers.get("x-local-aws-proof", "")
        if what not in ("whoami", "stop", "forget") or not same(given, proof(self._secret, what, nonce)):
            raise Refused("AccessDenied", "not this server's secret")
        unsaved = "" if what == "whoami" else self._stop(what)
        return {"pid": os.getpid(), "proof": proof(self._secret, "answer", nonce), "unsaved": unsaved}

    # --- who is it, and may that be asked for? ----------------------------------------------------------------

    async def _proven(self, request: Request, receive: Receive) -> Receive:
        """`Refused`, or the rest of a request that may pass."""
        if request.path.startswith("/_"):
            raise Refused("AccessDenied", "MiniStack's own paths are closed")
        signature, presigned = _signature(request)
        if signature is None:
            body, receive = await _read(receive)
            self._web_identity(request, body)
            return receive
        body = b""
        if signature.service != "s3":
            body, receive = await _read(receive)
        elif not presigned and "x-amz-content-sha256" not in request.headers:
            raise Refused("AccessDenied", "S3 asks for x-amz-content-sha256")
        self._signed(request, signature, body, presigned)
        if not request.viewers:
            _served(request, body, signature.service)
        return receive

    def _signed(self, request: Request, signature: sigv4.HeaderSignature, body: bytes, presigned: bool) -> None:
        if presigned:
            late = sigv4.presigned_request_is_expired(signature.amz_date, request.query["X-Amz-Expires"][0])
            skewed = ("AccessDenied", "Request has expired") if late else None
        else:
            skewed = sigv4.request_time_failure(signature)
        if skewed:
            raise Refused(*skewed)
        token = request.query.get("X-Amz-Security-Token", [""])[0] if presigned else request.headers.get("x-amz-security-token", "")
        secret = self._secret_of(signature.access_key_id, token)
        _, to_sign = sigv4.header_signing_documents(
            signature, request.method, request.raw_path, request.query, request.headers, body, presigned=presigned
        )
        expected = sigv4.calculate_signature(secret, signature.date_stamp, signature.region, signature.service, to_sign)
        if signature.date_stamp != signature.amz_date[:8] or not same(signature.signature, expected):
            raise Refused("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")

    def _secret_of(self, access_key: str, token: str) -> str:
        if _ACCOUNT.fullmatch(access_key) and not token:
            return self._secret
        unknown = Refused("InvalidClientTokenId", "The security token included in the request is invalid.")
        if iam_evaluator.is_root_access_key(access_key):
            raise unknown
        account = iam_evaluator.find_iam_access_key_account(access_key) or responses._account_from_sts_session(access_key)
        found = iam_evaluator.resolve_credential(access_key, account, token) if account else None
        if found is None:
            raise unknown
        if isinstance(found, iam_evaluator.CredentialResolutionError):
            raise Refused(found.code, found.message)
        return str(found.secret_access_key)

    def _web_identity(self, request: Request, body: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items() if len(values) == 1}
        plain = (request.method, request.raw_path, request.query) == ("POST", "/", {}) and not request.viewers
        asked = form.get("Action") == "AssumeRoleWithWebIdentity" and request.headers.get("content-type", "").startswith(_FORM)
        routed = plain and router.detect_service("POST", "/", dict(request.headers), parse_qs(body.decode("latin-1"))) == "sts"
        if not (routed and asked and is_web_identity(self._secret, form.get("WebIdentityToken", ""))):
            raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")


def _signature(request: Request) -> tuple[sigv4.HeaderSignature | None, bool]:
    """The signature, and whether it stands in the query: S3's presigned URLs."""
    if "authorization" in request.headers:
        if not request.headers["authorization"].startswith("AWS4-HMAC-SHA256 "):
            raise Refused("IncompleteSignature", "only Signature Version 4 is taken")
        found, presigned = sigv4.parse_header_signature(request.headers), False
    elif request.query.get("X-Amz-Algorithm") == ["AWS4-HMAC-SHA256"]:
        found, presigned = sigv4.parse_query_signature(request.query), True
        if not isinstance(found, tuple) and found.service != "s3":
            raise Refused("IncompleteSignature", "only S3 takes presigned requests")
    else:
        return None, False
    if isinstance(found, tuple):
        raise Refused(*found)
    return found, presigned


def _offered_of_s3(request: Request) -> bool:
    path = _BUCKET.fullmatch(request.path)
    settings = _S3_SETTINGS if path is not None and (path[2] or "/") == "/" else frozenset()
    return path is not None and all(name in settings or _S3_QUERY.fullmatch(name) for name in request.query)


def _served(request: Request, body: bytes, signed_for: str) -> None:
    """`Refused` for what the platform does not use. Asked of MiniStack's own routing, so that it cannot be understood in another way."""
    headers = dict(request.headers)
    if signed_for != "s3" and "content-encoding" in headers:
        raise Refused("BadRequest", "compressed bodies are not read", 400)
    params = ministack._routing_params(request.method, request.path, headers, body, dict(request.query))
    service: str = router.detect_service(request.method, request.path, headers, params)
    if service != _ROUTED_AS.get(signed_for, signed_for) or service not in SERVED:
        raise Refused("AccessDenied", f"the local AWS does not offer {service} (local_aws/served.cfg lists what it does)")
    if service == "s3" and not _offered_of_s3(request):
        raise Refused("AccessDenied", "the local AWS does not offer this of S3 (local_aws/door.py lists what it does)")
    if service == "lambda" and not _LAMBDA.fullmatch(f"{request.method} {request.path}"):
        raise Refused("AccessDenied", "the local AWS does not offer this of Lambda (local_aws/door.py lists what it does)")
    if service == "account":  # MiniStack goes by its path alone: /listRegions
        action = request.path[1:2].upper() + request.path[2:]
    elif service == "servicequotas":
        action = headers.get("x-amz-target", "").rpartition(".")[2]
    else:
        found = iam_actions.extract_iam_action(service, request.method, request.path, headers, body, params)
        action = (found or "").rpartition(":")[2]
    if action not in SERVED[service]:
        raise Refused("AccessDenied", f"the local AWS does not offer {service}:{action or '?'} (local_aws/served.cfg lists what it does)")
    if service == "s3":
        return
    try:
        refused = refusal(service, action, requests.check(service, action, headers.get("content-type", ""), body))
    except requests.Invalid as invalid:
        raise Refused(invalid.code, str(invalid), 400) from None
    if refused is not None:
        raise Refused(*refused, 400)


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The body, and a `receive` that gives it again."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("BadRequest", "the request broke off", 400)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            raise Refused("RequestEntityTooLarge", f"more than {BODY_BYTES} bytes", 413)
    waiting = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return bytes(body), again


def _without_cors(send: Send) -> Send:
    async def bare(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if not name.lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return bare


async def _refuse(scope: Scope, send: Send, refused: Refused) -> None:
    """In the words of the service's protocol, as far as the request tells it."""
    given = dict(scope["headers"])
    signed_for = _SIGNED_FOR.search(given.get(b"authorization", b""))
    service = signed_for[1] if signed_for else b"s3" if b"X-Amz-Signature" in scope["query_string"] else b""
    if service not in _XML and not given.get(b"content-type", b"").startswith(_FORM.encode()):
        await _answer(send, refused.status, {"__type": refused.code, "message": refused.message}, ("x-amzn-errortype", refused.code))
        return
    inner = f"<Error><Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message></Error>"
    text = inner if service == b"s3" else f"<ErrorResponse>{inner}</ErrorResponse>"
    await _send(send, refused.status, "text/xml", b"" if scope["method"] == "HEAD" else text.encode())


async def _answer(send: Send, status: int, value: dict[str, Any], *more: tuple[str, str]) -> None:
    await _send(send, status, "application/json", json.dumps(value).encode(), *more)


async def _send(send: Send, status: int, kind: str, body: bytes, *more: tuple[str, str]) -> None:
    headers = [("content-type", kind), ("content-length", str(len(body))), ("connection", "close") if status != 200 else ("", ""), *more]
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers if name]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def narrow(*, viewers: bool) -> None:
    """Close MiniStack's side entrances, so that nothing but its service dispatcher is reached: health and reset pages, sign-in pages,
    registries, message viewers, and every data plane that goes by the host name (Lambda URLs, APIs, load balancers, S3's virtual hosts).
    """

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    async def viewers_only(  # noqa: PLR0917  (MiniStack's own signature)
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        request_id: str,
        raw_path: str | None = None,
        raw_query_string: str = "",
        client_ip: str = "127.0.0.1",
    ) -> Any:
        del request_id
        return await ministack._handle_cloudfront_dataplane_request(
            headers.get("host", ""), path, raw_path or path, raw_query_string, method, headers, body, query_params, client_ip
        )

    # MiniStack reads every service model of botocore, seconds of work, to tell whether a signature is for a service that it lacks. The
    # door refuses all services but its own anyway, by the name that this gives.
    vars(router)["_is_aws_service_name"] = bool
    vars(ministack)["_handle_pre_body_request"] = nothing
    vars(ministack)["_handle_post_body_shortcuts"] = nothing
    vars(ministack)["_handle_special_data_plane_request"] = viewers_only if viewers else nothing
