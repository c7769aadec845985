"""The composition root of AWS access: one `Aws` a run hands out every client.

In: a profile or ambient credentials, or the endpoint and credentials of a local AWS.
Out: cached botocore clients, one for each service, account and region, that retry, time out, name the project and raise `aws.errors` only.
Never: trusts that credentials belong to the account they are wanted for (it asks STS), prints, or reads a configuration of ours.

botocore is imported when the first client is made; boto3, which adds nothing to these clients but the time to load it, never is.
Clients are made one after the other under a lock: in threads that is slower.
A client may be used from any thread. botocore's waiters must not be used with these clients, since they look for botocore's own exceptions;
waiting is the caller's, with the caller's clock.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import field

from aws import bodies
from aws.answers import Answer, mark, read
from aws.errors import AccessDenied, BadRequest, CredentialsError, NetworkError, Origin, Unavailable, WrongAccount, guarded, translated
from aws.propagation import Propagation
from aws.startup import quick, session_class
from circuit_breaker import CircuitBreaker, wished_attempts
from guards import masks

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session as BotocoreSession

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:[\x21-\x7e]+/)?[\w+=,.@-]{1,64}")
_STS_REGION = "us-east-1"
"""Where roles are assumed: a regional endpoint, since the global one's tokens fail in opt-in regions; this region is never off.
Source: IAM user guide, "Manage AWS STS in an AWS Region"."""


class Identity(Answer, frozen=True, kw_only=True):
    """Whose credentials these are (sts:GetCallerIdentity)."""

    account_id: str = field(name="Account")
    arn: str
    user_id: str = field(name="UserId", default="")
    """What policies call aws:userid."""


class _Assumed(Answer, frozen=True, kw_only=True):
    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: str


@dataclass(frozen=True, kw_only=True)
class StaticCredentials:
    """Plain credentials, as a local AWS takes them."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Bounds of every request."""

    connect_timeout: float = 5.0
    """Seconds."""
    read_timeout: float = 30.0
    """Seconds; a request without an answer for that long is retried, and in the end a `NetworkError`."""
    total_attempts: int = 8
    """Attempts in botocore's standard mode (exponential back-off with jitter, at most 20 s between two)."""
    pool_connections: int = 32
    user_agent: str = "web-platform"
    session_name: str = "web-platform"
    """RoleSessionName of assumed roles; it stands in CloudTrail."""
    follow: Callable[[Any, Callable[[], str]], None] | None = None
    """Called with the events of every session and what tells its account."""


class Aws:
    """Clients for any account and region of a run.

    `role_name` is the role assumed in an account that the ambient credentials do not belong to, unless `client` is given another.
    `endpoint_url` with `static_credentials` is a local AWS: the account's credentials are asked for and no role is assumed.
    `doctor_command` is what an `AccessDenied` tells the user to type; `environment` is whose runbooks are told where a region is lost,
    `home_region` where STS is asked if us-east-1 is.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        role_name: str | None = None,
        endpoint_url: str | None = None,
        static_credentials: Callable[[str], StaticCredentials] | None = None,
        settings: Settings | None = None,
        doctor_command: str = "",
        propagation: Propagation | None = None,
        breaker: CircuitBreaker | None = None,
        environment: str = "",
        home_region: str = "",
        soon: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """`soon`: services and regions that will be asked with the ambient credentials; their clients are made while STS answers."""
        self.propagation = propagation or Propagation()
        """How calls about new things are repeated; on its own it repeats those about what the same session has made."""
        self.breaker = breaker or CircuitBreaker()
        """Shared with the impatient clients."""
        self._profile = profile
        self._role_name = role_name
        self._endpoint_url = endpoint_url
        self._static_credentials = static_credentials
        self._settings = settings or Settings()
        self._doctor_command = doctor_command
        self._environment = environment
        self._sts_regions = tuple(dict.fromkeys((_STS_REGION, home_region or _STS_REGION)))
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str, str, str | None], Any] = {}
        self._sessions: dict[tuple[str, str | None], BotocoreSession] = {}
        self._ambient: tuple[BotocoreSession, Identity] | None = None
        self._loader: Any = None
        self._soon = soon
        self._spare: dict[tuple[str, str], Any] = {}
        self._login_command = f"aws sso login --profile {profile}" if profile else "aws sso login"

    @property
    def is_local(self) -> bool:
        """True for an endpoint that was handed in."""
        return self._endpoint_url is not None

    @property
    def _isolated(self) -> bool:
        """A local AWS is not the caller's: nothing of the caller's AWS configuration, credentials or proxies is for it."""
        return self._static_credentials is not None

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint that was handed in; None for AWS itself, and where botocore finds one by its own settings (AWS_ENDPOINT_URL)."""
        return self._endpoint_url

    def overrides(self) -> tuple[str, ...]:
        """What leads requests elsewhere than to AWS by the caller's settings, a line each. Raises `CredentialsError` for a profile that is
        not there."""
        from guards.endpoints import overridden

        if self._isolated:
            return ()
        session = self._ambient[0] if self._ambient else self._new_session(str, profile=self._profile)
        return overridden(os.environ, session.full_config, self._profile)

    @property
    def is_emulated_here(self) -> bool:
        """Whether the caller's AWS_ENDPOINT_URL puts all of AWS on this machine. Raises `CredentialsError` and its kin."""
        from guards.endpoints import emulated_here

        return not self._isolated and emulated_here(os.environ, self._ambient_session()[0].full_config, self._profile)

    def identity(self) -> Identity:
        """Whose the ambient credentials are; asked once. `CredentialsError` if there are none; a local AWS handed in has none."""
        with self._lock:
            return self._ambient_session()[1]

    def client(self, service: str, *, account_id: str, region: str, role_arn: str | None = None) -> Any:
        """The client of `service` in that account and region (typed by who asks: mypy_boto3_<service>).

        Ambient credentials are used where they are the account's own, else `role_arn` or the role of `role_name` is assumed. Either way STS
        is asked whose they are, and `WrongAccount` is raised if not the account's. Assumed credentials renew themselves.
        Raises `CredentialsError` and its kin.
        """
        key = (service, account_id, region, role_arn)
        client = self._clients.get(key)
        if client is None:
            with self._lock:
                client = self._clients.get(key)
                if client is None:
                    session = self._session(account_id, role_arn)
                    spare = self._spare.pop((service, region), None) if self._ambient and session is self._ambient[0] else None
                    client = self._clients[key] = spare or self._make(session, service, region, account_id)
        return client

    def impatient(self, *, attempts: int = 4) -> Aws:
        """The same credentials, with clients that give up soon: after some 8 seconds where nothing answers, 26 where
        something takes the request and is silent."""
        made = copy.copy(self)
        # Silence ends with the second attempt (`circuit_breaker.SILENCES`); four are for bursts of throttling.
        made._settings = replace(
            self._settings, connect_timeout=3.0, read_timeout=10.0, total_attempts=min(attempts, self._settings.total_attempts)
        )
        made._clients, made._spare = {}, {}
        return made

    # --- sessions: one for each set of credentials ------------------------------------------------------------

    def _session(self, account_id: str, role_arn: str | None) -> BotocoreSession:
        session = self._sessions.get((account_id, role_arn))
        if session is None:
            session = self._sessions[(account_id, role_arn)] = self._open(account_id, role_arn)
        return session

    def _open(self, account_id: str, role_arn: str | None) -> BotocoreSession:
        if self._static_credentials is not None:
            session = self._new_session(lambda: account_id)
            static = self._static_credentials(account_id)
            session.set_credentials(static.access_key, static.secret_key, static.token)
            self._verify(session, account_id, f"the local credentials of {account_id}")
            return session
        ambient, identity = self._ambient_session()
        if identity.account_id == account_id:
            return ambient
        arn = role_arn or self._default_role_arn(account_id, identity)
        match = _ROLE_ARN.fullmatch(arn)
        if match is None:
            raise BadRequest(f"{arn!r} is not the ARN of an IAM role", account=account_id)
        if match["account"] != account_id:
            raise WrongAccount(f"the role {arn} is not in account {account_id}", account=account_id)
        session = self._assumed(ambient, account_id, arn)
        self._verify(session, account_id, f"the role {arn}")
        return session

    def _default_role_arn(self, account_id: str, identity: Identity) -> str:
        if self._role_name is None:
            raise WrongAccount(
                f"the credentials are those of {identity.arn} in account {identity.account_id}, not of account {account_id}",
                account=account_id,
                hint=self._whoami_command(),
            )
        partition = identity.arn.split(":")[1] if identity.arn.count(":") >= 5 else "aws"
        return f"arn:{partition}:iam::{account_id}:role/{self._role_name}"

    def _whoami_command(self) -> str:
        return f"aws sts get-caller-identity{f' --profile {self._profile}' if self._profile else ''}"

    def _ambient_session(self) -> tuple[BotocoreSession, Identity]:
        if self._static_credentials is not None:
            raise CredentialsError("a local AWS has credentials for every account and no ambient ones")
        if self._ambient is None:
            session = self._new_session(lambda: self._ambient[1].account_id if self._ambient else "", profile=self._profile)
            self._login_command = _login_command(session, self._profile)
            self._find_credentials(session)
            self._ambient = (session, self._caller(session, meanwhile=self._soon))
            _hide_credentials(session.get_credentials())
        return self._ambient

    def _assumed(self, source: BotocoreSession, account_id: str, role_arn: str) -> BotocoreSession:
        from botocore.credentials import DeferredRefreshableCredentials

        def fetch() -> dict[str, str]:
            try:
                answer = self._sts(source, "assume_role", account_id, RoleArn=role_arn, RoleSessionName=self._settings.session_name)
            except AccessDenied as refused:
                whose = self._ambient_session()[1]
                raise WrongAccount(
                    f"the credentials are those of {whose.arn}, which may not take on the role {role_arn} of account {account_id}:"
                    f" {refused.message}",
                    code=refused.code,
                    account=account_id,
                    hint=self._whoami_command(),
                ) from refused
            found = read(answer, _Assumed, "Credentials")
            masks.hide(found.secret_access_key, found.session_token)
            return {
                "access_key": found.access_key_id,
                "secret_key": found.secret_access_key,
                "token": found.session_token,
                "expiry_time": found.expiration,
            }

        session = self._new_session(lambda: account_id)
        session._credentials = DeferredRefreshableCredentials(fetch, "assume-role")  # type: ignore[attr-defined]
        return session

    def _verify(self, session: BotocoreSession, account_id: str, whose: str) -> None:
        identity = self._caller(session)
        if identity.account_id != account_id:
            raise WrongAccount(
                f"{whose} turned out to be {identity.arn} in account {identity.account_id}, not in account {account_id}",
                account=account_id,
                hint=self._doctor_command,
            )

    def _caller(self, session: BotocoreSession, *, meanwhile: tuple[tuple[str, str], ...] = ()) -> Identity:
        if not meanwhile:
            return read(self._sts(session, "get_caller_identity"), Identity)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self._sts, session, "get_caller_identity")
            for service, region in meanwhile:
                self._spare[service, region] = self._make(session, service, region, "")
            return read(asked.result(), Identity)

    def _sts(self, session: BotocoreSession, operation: str, account_id: str = "", **given: str) -> Any:
        """The answer of STS, from wherever it answers."""
        lost: list[NetworkError | Unavailable] = []
        for region in self._sts_regions:
            try:
                return getattr(self._make(session, "sts", region, account_id), operation)(**given)
            except (NetworkError, Unavailable) as error:
                lost.append(error)
        raise lost[0]

    def _find_credentials(self, session: BotocoreSession) -> None:
        """Find the ambient credentials, so that neither they nor anything else that a setting holds can stand in a message."""
        from botocore.credentials import DeferredRefreshableCredentials

        with translated(Origin(login_command=self._login_command)):
            _hide_files(session.full_config.get("profiles", {}).values())
            found: Any = session.get_credentials()
            # Those that have yet to be fetched are hidden once they are: fetching may fail, and says so in the first request.
            if found is not None and not isinstance(found, DeferredRefreshableCredentials):
                _hide_credentials(found)

    # --- botocore ---------------------------------------------------------------------------------------------

    def _new_session(self, account: Callable[[], str], *, profile: str | None = None) -> BotocoreSession:
        """A session whose clients raise our errors, naming that account."""
        make = session_class()
        bodies.hold_to_a_speed()
        with translated(Origin(login_command=self._login_command)):
            session = isolated_session() if self._isolated else make(profile=profile)
            # Names a profile that is not there at once, not in the middle of the first call.
            session.get_scoped_config()
        session.set_config_variable("sts_regional_endpoints", "regional")
        if self._loader is None:
            self._loader = quick(session.get_component("data_loader"))
        # The service models are the same for all: read once, not once for each account.
        session.register_component("data_loader", self._loader)

        def add_translation(base_classes: list[type], **_: Any) -> None:
            base_classes.insert(0, _translating(self._origin, account, self.propagation, self.breaker))

        events: Any = session.get_component("event_emitter")
        events.register("creating-client-class", add_translation)
        events.register("before-parse", bodies.check)
        events.register("before-call.s3.HeadBucket", bodies.look_once)
        if self._settings.follow is not None:
            self._settings.follow(events, account)
        events.register("before-send", lambda **_: self.breaker.attempt())
        events.register("response-received", self._received)
        return session

    def _received(self, *, exception: Exception | None = None, **_: Any) -> None:
        from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

        if isinstance(exception, (ConnectTimeoutError, ReadTimeoutError)):
            self.breaker.silent()

    def _origin(self, service: str, operation: str, account_id: str, region: str) -> Origin:
        return Origin(
            service=service,
            operation=operation,
            account=account_id,
            region=region,
            login_command=self._login_command,
            doctor_command=self._doctor_command,
            environment=self._environment,
        )

    def _make(self, session: BotocoreSession, service: str, region: str, account_id: str) -> Any:
        with translated(self._origin(service, "", account_id, region)):
            make: Any = session.create_client
            return make(service, region_name=region, endpoint_url=self._endpoint_url, config=self._config(service))

    def _config(self, service: str) -> Config:
        from botocore.config import Config

        attempts = self._settings.total_attempts if self._isolated else wished_attempts(os.environ, self._settings.total_attempts)
        return Config(
            connect_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=self._settings.pool_connections,
            user_agent_extra=self._settings.user_agent,
            s3={"addressing_style": "path"} if service == "s3" and self.is_local else None,
            proxies={} if self._isolated else None,
        )


def isolated_session() -> BotocoreSession:
    """A session that reads no environment variable and no file of the caller's: every setting has botocore's default."""
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider
    from botocore.session import Session

    defaults = {name: default for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    given = defaults | {"config_file": os.devnull, "credentials_file": os.devnull}
    session = Session()
    session.register_component("config_store", ConfigValueStore({name: ConstantProvider(value) for name, value in given.items()}))
    return session


def _translating(
    origin: Callable[[str, str, str, str], Origin], account: Callable[[], str], propagation: Propagation, breaker: CircuitBreaker
) -> type:
    """A base class for clients, by botocore's own extension point: every call, paginated ones too, goes through this method."""

    class Translating:
        meta: Any

        def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
            where = origin(self.meta.service_model.service_name, operation_name, account(), self.meta.region_name or "")
            make: Any = super()._make_api_call  # type: ignore[misc]

            def call() -> Any:
                with guarded(breaker, where), translated(where):
                    return make(operation_name, api_params)

            answer = propagation.call(operation_name, api_params, call)
            mark(answer, where)
            return answer

    return Translating


def _hide_credentials(found: Any) -> None:
    """Raises `CredentialsError` for some that no request can carry: it would be tried again and again, as if the network were at fault."""
    frozen = found.get_frozen_credentials()
    named = {"access key id": frozen.access_key, "secret access key": frozen.secret_key, "session token": frozen.token or ""}
    masks.hide(*(value for value in named.values() if isinstance(value, str)))
    for name, value in named.items():
        if not isinstance(value, str):
            raise CredentialsError(f"the {name} is no text", hint="correct what gives the credentials, such as a credential_process")
        if value and not re.fullmatch("[!-~]+", value):
            raise CredentialsError(
                f"the {name} holds a character that no header can carry, such as a blank or a line break at its end",
                hint="set the credentials again, without it",
            )


def _hide_files(profiles: Iterable[Mapping[str, Any]]) -> None:
    """Hide what the profiles of the configuration files hold, and the web identity tokens that they and the environment name."""
    files = [os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE", ""), os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")]
    for profile in profiles:
        for name, value in profile.items():
            if not isinstance(value, str):
                continue
            if name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"):
                masks.hide(value)
            elif name == "web_identity_token_file":
                files.append(value)
            elif "://" in value:
                masks.hide_url(value)
    for file in filter(None, files):
        with contextlib.suppress(OSError):
            masks.hide(Path(file).expanduser().read_bytes()[:100_000])


def _login_command(session: BotocoreSession, profile: str | None) -> str:
    """What a person types to renew these credentials, by what the profile is made of."""
    name = profile or session.get_config_variable("profile") or "default"
    profiles = session.full_config.get("profiles", {})
    section: dict[str, Any] = profiles.get(name, {})
    source = section.get("source_profile", name)
    if source != name and "source_profile" not in profiles.get(source, {}):
        return _login_command(session, source)
    if "sso_session" in section or "sso_start_url" in section:
        return f"aws sso login --profile {name}"
    if "credential_process" in section:
        return f"aws sts get-caller-identity --profile {name}"
    if "login_session" in section:
        return f"aws login --profile {name}"
    if profile is None and not section:
        return "export AWS_PROFILE=<a profile>, or fresh AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
    return f"aws configure --profile {name}"
