"""AWS errors as values of this project.

In: whatever botocore raises. Out: one `AwsError` family that carries AWS's own words, where it happened and the next command to type.
Never: imports botocore before an error has to be translated, hides the original (it is `__cause__`), or decides whether to go on.

The subclasses are the distinctions that a caller acts upon; everything else is in the fields.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from assembly import commands
from circuit_breaker import CircuitBreaker, CircuitOpen
from guards.text import sentence

_THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyInvalidationsInProgress",
        "TooManyRequestsException",
    }
)
"""botocore's own list (botocore.retries.standard) without the quota codes, plus CloudFront's limit of invalidations under way."""

_CLOCK = "set this machine's clock, as by timedatectl set-ntp true, then run the same command again"
_STRANGERS = 300
"""Characters of what is none of AWS's words."""
_AGAIN = "run the same command again in a minute"
_EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_BAD_CREDENTIAL_CODES = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_SKEWED_CODES = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_SKEWED_PATTERN = re.compile(r"\bSignature (expired|not yet current)\b")
"""S3's code, and the words of the others behind SignatureDoesNotMatch or InvalidSignatureException: new credentials would not help.

Source: IAM User Guide, "Troubleshoot Signature Version 4 requests": why they are refused, timestamps."""
_DENIED_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "AuthorizationError", "Forbidden"}
)
_CONFLICT_CODES = frozenset(
    {
        "ConditionalCheckFailedException",
        "ConditionalRequestConflict",
        "OperationInProgressException",
        "PreconditionFailed",
        "StaleRequestException",
        "TokenAlreadyExistsException",
        "TransactionConflictException",
    }
)
_CONFLICT_PATTERN = re.compile(r"^(?!NoSuch).*((?<!Not)Exists|AlreadyOwned|AlreadyEnabled|Conflict|InUse)")
_NOT_FOUND_PATTERN = re.compile(r"^NoSuch|NotFound|NonExistent|DoesNotExist")
_MISSING_STACK_PATTERN = re.compile(r"\bdoes not exist\b")
_UNUSABLE_ROLE_PATTERN = re.compile(r"is invalid or cannot be assumed|cannot be assumed by")
"""CloudFormation's words for a service or administration role that is not there, or whose trust does not let it in."""

_READING_MODULES = frozenset({"botocore.parsers", "botocore.handlers", "botocore.httpchecksum", "botocore.response"})
"""Where botocore reads an answer; what it calls there may be what fails."""


class AwsError(Exception):
    """Something AWS, the network or the credentials refused.

    `str()` is AWS's words on one line, with where and what; `hint` is the next command to type, or "".
    `code` is AWS's error code ("ValidationError"), or the botocore class name where the request never reached AWS.
    """

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        operation: str = "",
        code: str = "",
        request_id: str = "",
        account: str = "",
        region: str = "",
        hint: str = "",
        status: int = 0,
        asked: bool = True,
    ) -> None:
        message = sentence(message)
        super().__init__(message)
        self.message = message
        self.service = service
        self.operation = operation
        self.code = sentence(code, 100)
        self.request_id = request_id
        self.account = account
        self.region = region
        self.hint = hint
        self.status = status
        """HTTP status, 0 where there was no answer."""
        self.asked = asked
        """False where the call was not made, as the service or region had not answered a moment before."""

    def __str__(self) -> str:
        call = f"{self.service} {self.operation}".strip()
        place = " ".join(part for part in (f"account {self.account}" if self.account else "", self.region) if part)
        head = f"{call} ({place})" if call and place else call or place
        words = f"{self.code}: {self.message}" if self.code else self.message
        return f"{head}: {words}" if head else words


class NotFound(AwsError):
    """The thing asked for is not there."""


class Conflict(AwsError):
    """It is there already, a condition did not hold, or another operation is under way."""


class AccessDenied(AwsError):
    """The credentials are good but may not do this."""


class Throttled(AwsError):
    """AWS asked for fewer requests, and botocore's retries are used up."""


class CredentialsError(AwsError):
    """No credentials, or bad ones."""


class CredentialsExpired(CredentialsError):
    """The credentials ran out and could not be renewed without a person."""


class WrongAccount(CredentialsError):
    """The credentials belong to another account than the one that was asked for."""


class NetworkError(AwsError):
    """AWS was not reached, or did not answer in time; nothing is known about whether the request was carried out."""


class UnexpectedAnswer(NetworkError):
    """An answer came that cannot be read or lacks what its API promises: a proxy's page, say. What became of the request is not known."""


class Unavailable(AwsError):
    """AWS answered with a 5xx, and botocore's retries are used up."""


class BadRequest(AwsError):
    """The request is not valid: a defect here, or a value that AWS does not take."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a call goes: what an error says about its place, and what to type next."""

    service: str = ""
    operation: str = ""
    account: str = ""
    region: str = ""
    login_command: str = "aws sso login"
    """What renews the credentials."""
    doctor_command: str = ""
    """What checks permissions and set-up."""
    environment: str = ""
    """Whose runbooks are named."""

    @property
    def place(self) -> dict[str, Any]:
        """What of it an error carries."""
        return {"service": self.service, "operation": self.operation, "account": self.account, "region": self.region}

    @property
    def again(self) -> str:
        """What to do where nobody answers."""
        if not (self.environment and self.region):
            return _AGAIN
        runbook = commands.deploy("runbook", self.environment, "us-east-1" if self.region == "us-east-1" else "region-lost", "--no-aws")
        return f"{_AGAIN}; if {self.region} stays like this: {runbook}"


@contextmanager
def guarded(breaker: CircuitBreaker, origin: Origin) -> Iterator[None]:
    """Around one call, whose errors are ours: no longer than is sensible, and not at all where nobody has just answered."""
    place = (origin.region, origin.service)
    try:
        with breaker.calling(*place):
            yield
    except (Unavailable, NetworkError) as error:
        if isinstance(error, UnexpectedAnswer):
            breaker.heard(*place)
        else:
            breaker.missed(*place, str(error))
        raise
    except CircuitOpen as silent:
        if silent.asked:
            breaker.missed(*place, str(silent))
        raise NetworkError(str(silent), code="NoAnswer", hint=origin.again, asked=silent.asked, **origin.place) from None
    except AwsError:
        breaker.heard(*place)
        raise
    else:
        breaker.heard(*place)


@contextmanager
def translated(origin: Origin) -> Iterator[None]:
    """Turn any botocore error inside into ours. Clients of `aws.session` need it only around what they hand out lazily (streams)."""
    try:
        yield
    except AwsError:
        raise
    except Exception as error:
        ours = translate(error, origin)
        if ours is None:
            raise
        raise ours from error


def translate(error: Exception, origin: Origin) -> AwsError | None:  # noqa: PLR0911
    """Our error for one of botocore's or its CRT's, or None for any other (a defect of ours, which must stay visible)."""
    from botocore import exceptions as bc

    place = origin.place
    if isinstance(error, bc.ClientError):
        return _from_answer(error, origin, place)
    login, again = origin.login_command, f"check the network, then {origin.again}"
    kinds: tuple[tuple[tuple[type[Exception], ...], type[AwsError], str], ...] = (
        ((bc.UnauthorizedSSOTokenError, bc.SSOTokenLoadError, bc.TokenRetrievalError, bc.LoginError), CredentialsExpired, login),
        ((bc.CredentialRetrievalError, bc.RefreshWithMFAUnsupportedError, bc.MetadataRetrievalError), CredentialsError, login),
        ((bc.NoCredentialsError, bc.PartialCredentialsError, bc.NoAuthTokenError, bc.UnknownCredentialError), CredentialsError, login),
        ((bc.InvalidConfigError,), CredentialsError, login),
        ((bc.ProfileNotFound,), CredentialsError, "aws configure list-profiles"),
        ((bc.ConnectionError, bc.HTTPClientError, bc.IncompleteReadError, bc.ResponseStreamingError), NetworkError, again),
        ((bc.ParamValidationError, bc.ValidationError, bc.NoRegionError), BadRequest, ""),
        ((bc.BotoCoreError,), AwsError, ""),
    )
    for types, ours, hint in kinds:
        if isinstance(error, types):
            return ours(sentence(str(error)), code=type(error).__name__, hint=hint, **place)
    if (unusable := _unusable_credentials(error, login)) is not None:
        return unusable
    if isinstance(error, ValueError) and _modules(error)[-1:] in (["urllib.parse"], ["botocore.endpoint"]):
        # Without the words of urllib, which quote a piece of the password that the URL holds.
        return BadRequest(
            "an endpoint or proxy URL of the settings is none (SCHEME://HOST:PORT; a / of a user name or password is written %2F)", **place
        )
    if _raised_by_parser(error):
        words = sentence(str(error) if type(error).__name__ == "ResponseParserError" else f"{type(error).__name__}: {error}", _STRANGERS)
        hint = "check whether a proxy answers in place of AWS, then run the same command again"
        return UnexpectedAnswer(f"unexpected answer: {words}", hint=hint, **place)
    if type(error).__module__ == "awscrt.exceptions":
        # The CRT's error names: AWS_IO_* for sockets, names and TLS, AWS_ERROR_HTTP_* for connections.
        code = str(getattr(error, "name", ""))
        kind = NetworkError if code.startswith(("AWS_IO_", "AWS_ERROR_HTTP_")) else AwsError
        return kind(sentence(str(error)), code=code, hint=again, **place)
    return None


def _modules(error: Exception) -> list[str]:
    """Through which the error came, the innermost last."""
    return [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]


def _unusable_credentials(error: Exception, login: str) -> AwsError | None:
    """What botocore trips over in the output of a credential_process, a cached token or a token's file; an answer of STS is none of these.

    Without the error's words, which may quote a secret.
    """
    modules = _modules(error)
    if "botocore.credentials" not in modules or "botocore.client" in modules[modules.index("botocore.credentials") :]:
        return None
    if isinstance(error, RuntimeError):
        return CredentialsExpired("the credentials have expired, and those that were to renew them have too", hint=login)
    if isinstance(error, OSError):
        return CredentialsError(f"the credentials cannot be read: {error.filename}: {error.strerror}", hint=login)
    if isinstance(error, EOFError):
        again = "type it at a terminal, or export the keys that aws sts get-session-token --serial-number ARN --token-code CODE gives"
        return CredentialsError("the profile asks for an MFA code (mfa_serial), and nobody is there to type it", hint=again)
    what = "what a credential_process or an endpoint for credentials gave, a cached token, or a setting of theirs is not as it should be"
    return CredentialsError(f"the credentials cannot be read: {what} ({type(error).__name__})", hint=login)


def _raised_by_parser(error: Exception) -> bool:
    """Whether it is botocore that failed over an answer: it has an error of its own for some bodies, and trips over others."""
    from botocore.parsers import ResponseParserError

    if isinstance(error, ResponseParserError):
        return True
    modules = _modules(error)
    return modules[-1:] != [] and (modules[-1].startswith("botocore.") or any(name in _READING_MODULES for name in modules))


def _from_answer(error: Any, origin: Origin, place: dict[str, Any]) -> AwsError:
    answer: dict[str, Any] = error.response
    told, meta = (found if isinstance(found := answer.get(part), dict) else {} for part in ("Error", "ResponseMetadata"))
    code = sentence(str(told.get("Code") or ""))
    message = sentence(str(told.get("Message") or error))
    status = int(meta.get("HTTPStatusCode", 0) or 0)
    kind, hint = _kind(code, message, status, origin)
    return kind(message, code=code, request_id=str(meta.get("RequestId", "")), status=status, hint=hint, **place)


def _kind(code: str, message: str, status: int, origin: Origin) -> tuple[type[AwsError], str]:  # noqa: PLR0911
    """The order matters: a code says more than an HTTP status, and S3's HEAD answers carry the status as their code."""
    if code in _SKEWED_CODES or _SKEWED_PATTERN.search(message):
        return CredentialsError, _CLOCK
    if code in _EXPIRED_CODES:
        return CredentialsExpired, origin.login_command
    if code in _BAD_CREDENTIAL_CODES:
        return CredentialsError, origin.login_command
    if code in _THROTTLING_CODES or status == 429:
        return Throttled, _AGAIN
    if code in _DENIED_CODES or code == "403":
        return AccessDenied, origin.doctor_command
    if code in _CONFLICT_CODES or _CONFLICT_PATTERN.search(code) or status in (409, 412):
        return Conflict, ""
    if _NOT_FOUND_PATTERN.search(code) or status == 404 or (code == "ValidationError" and _MISSING_STACK_PATTERN.search(message)):
        return NotFound, ""
    if _UNUSABLE_ROLE_PATTERN.search(message):
        return BadRequest, origin.doctor_command
    if status >= 500:
        return Unavailable, origin.again
    if status == 403:
        return AccessDenied, origin.doctor_command
    if status == 400:
        return BadRequest, ""
    return AwsError, ""
