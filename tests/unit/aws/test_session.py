"""Sessions without a network: a hook of botocore's answers in the place of AWS, so credentials, retries and signing are the real ones."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.credentials import AssumeRoleProvider

from aws.errors import BadRequest, CredentialsError, CredentialsExpired, NetworkError, Throttled, WrongAccount
from aws.s3 import S3
from aws.session import Aws, Settings, StaticCredentials

HOME = "111111111111"
OTHER = "222222222222"


class Sky:
    """AWS as far as these tests need it; every request is kept."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, str]] = []
        self.lifetime = timedelta(hours=1)
        self.expired = False
        self.lie = False
        self.answers: list[tuple[int, str]] = []

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        host = urlsplit(request.url).hostname or ""
        body = request.body.decode() if isinstance(request.body, bytes) else (request.body or "")
        action = parse_qs(body).get("Action", [""])[0]
        signature = request.headers.get("Authorization", b"")
        text = signature.decode() if isinstance(signature, bytes) else str(signature)
        key = text.split("Credential=")[-1].split("/")[0]
        self.requests.append((host, action, key, str(request.headers.get("User-Agent", ""))))
        status, xml = self._body(action, key, body)
        return _response(request.url, status, xml)

    def _body(self, action: str, key: str, body: str) -> tuple[int, str]:
        if self.expired:
            return 403, "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>"
        if action == "GetCallerIdentity":
            account = HOME if key == "HOMEKEY" or self.lie else OTHER if key.startswith("ASIA") else key
            inner = f"<Arn>arn:aws:iam::{account}:user/u</Arn><Account>{account}</Account><UserId>u</UserId>"
            return 200, f"<GetCallerIdentityResponse><GetCallerIdentityResult>{inner}</GetCallerIdentityResult></GetCallerIdentityResponse>"
        if action == "AssumeRole":
            end = (datetime.now(UTC) + self.lifetime).isoformat()
            number = sum(each[1] == "AssumeRole" for each in self.requests)
            inner = f"<AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            credentials = f"<Credentials>{inner}<Expiration>{end}</Expiration></Credentials>"
            return 200, f"<AssumeRoleResponse><AssumeRoleResult>{credentials}</AssumeRoleResult></AssumeRoleResponse>"
        if self.answers:
            return self.answers.pop(0)
        return 200, "<ListStacksResponse><ListStacksResult><StackSummaries/></ListStacksResult></ListStacksResponse>"

    def count(self, action: str) -> int:
        return sum(each[1] == action for each in self.requests)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body

    def read(self, *_: Any) -> bytes:
        body, self._body = self._body, b""
        return body


def _response(url: str, status: int, text: str) -> AWSResponse:
    return AWSResponse(url, status, {"content-type": "text/xml"}, _Raw(text.encode()))  # type: ignore[arg-type]


class HookedAws(Aws):
    """Every session that is made gets the hook; nothing else differs."""

    def __init__(self, sky: Callable[..., Any], **options: Any) -> None:
        super().__init__(**options)
        self._sky = sky

    def _new_session(self, account: Callable[[], str], *, profile: str | None = None) -> Any:
        session = super()._new_session(account, profile=profile)
        session.get_component("event_emitter").register("before-send", self._sky)
        return session


@pytest.fixture
def sky() -> Sky:
    return Sky()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Ambient credentials of HOME, and no configuration of the machine's."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "HOMEKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def aws(sky: Sky, **options: Any) -> Aws:
    return HookedAws(sky.answer, **{"role_name": "deploy", "settings": Settings(total_attempts=2), **options})


def client(room: Aws, account: str = HOME, region: str = "af-south-1", service: str = "cloudformation", **more: Any) -> Any:
    return room.client(service, account_id=account, region=region, **more)


def test_the_same_client_is_handed_out_again_and_identity_is_asked_once(sky: Sky) -> None:
    room = aws(sky)
    first = client(room)
    assert client(room) is first
    assert client(room, region="eu-west-1") is not first
    client(room, service="iam")
    assert sky.count("GetCallerIdentity") == 1
    assert sky.count("AssumeRole") == 0


def test_another_account_is_reached_by_the_role_of_that_name_through_a_regional_endpoint(sky: Sky) -> None:
    client(aws(sky), OTHER).list_stacks()
    hosts = [host for host, action, *_ in sky.requests if action in ("AssumeRole", "GetCallerIdentity")]
    assert {*hosts} == {"sts.us-east-1.amazonaws.com"}, "tokens of the global endpoint fail in opt-in regions"
    assert [key for _, action, key, _ in sky.requests if action == "ListStacks"] == ["ASIA1"]


def test_whose_credentials_is_checked_after_the_role_is_assumed(sky: Sky) -> None:
    sky.lie = True
    with pytest.raises(WrongAccount, match=f"turned out to be .* in account {HOME}, not in account {OTHER}"):
        client(aws(sky), OTHER)
    assert "ListStacks" not in {each[1] for each in sky.requests}


@pytest.mark.parametrize(
    ("arn", "error"),
    [
        (f"arn:aws:iam::{HOME}:role/x", WrongAccount),
        ("deploy", BadRequest),
        (f"arn:aws:iam::{OTHER}:user/x", BadRequest),
        (f"arn:aws:iam::{OTHER}:role/x y", BadRequest),
    ],
)
def test_a_role_arn_that_cannot_be_right_is_refused_before_aws_is_asked(sky: Sky, arn: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client(aws(sky), OTHER, role_arn=arn)
    assert sky.count("AssumeRole") == 0


def test_assumed_credentials_renew_themselves(sky: Sky) -> None:
    """They are renewed when they are about to end: here they always are."""
    sky.lifetime = timedelta(minutes=5)
    made = client(aws(sky), OTHER)
    before = sky.count("AssumeRole")
    made.list_stacks()
    made.list_stacks()
    assert sky.count("AssumeRole") >= before + 2
    assert sky.requests[-1][2] == f"ASIA{sky.count('AssumeRole')}"


def test_when_they_cannot_be_renewed_the_command_to_type_is_named(sky: Sky, environment: Path) -> None:
    (environment / "credentials").write_text("[dev]\naws_access_key_id = HOMEKEY\naws_secret_access_key = s\n")
    sky.lifetime = timedelta(seconds=1)
    made = client(aws(sky, profile="dev"), OTHER)
    sky.expired = True
    with pytest.raises(CredentialsExpired) as caught:
        made.list_stacks()
    assert caught.value.hint == "aws configure --profile dev"
    assert (caught.value.operation, caught.value.account) == ("AssumeRole", HOME)


def test_a_single_sign_on_that_ran_out_names_the_login_and_logs_no_traceback(
    sky: Sky, environment: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (environment / "config").write_text(
        "[profile dev]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
        "[sso-session s]\nsso_start_url = https://example.com\nsso_region = eu-west-1\n"
    )
    with pytest.raises(CredentialsExpired, match="SSOTokenLoadError") as caught:
        aws(sky, profile="dev").identity()
    assert caught.value.hint == "aws sso login --profile dev"
    assert "Traceback" not in capfd.readouterr().err
    assert sky.requests == []


@pytest.mark.parametrize(
    ("config", "command"),
    [
        ("[profile dev]\nsso_start_url = https://example.com\n", "aws sso login --profile dev"),
        ("[profile dev]\nlogin_session = x\n", "aws login --profile dev"),
        ("[profile dev]\nregion = eu-west-1\n", "aws configure --profile dev"),
    ],
)
def test_the_command_that_renews_fits_the_profile(sky: Sky, environment: Path, config: str, command: str) -> None:
    (environment / "config").write_text(config)
    (environment / "credentials").write_text("[dev]\naws_access_key_id = HOMEKEY\naws_secret_access_key = s\n")
    sky.expired = True
    with pytest.raises(CredentialsExpired) as caught:
        aws(sky, profile="dev").identity()
    assert caught.value.hint == command


def test_no_credentials_at_all(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsError) as caught:
        aws(sky).identity()
    assert "AWS_PROFILE" in caught.value.hint
    with pytest.raises(CredentialsError, match="profile"):
        aws(sky, profile="none").identity()


def test_throttling_is_retried_and_in_the_end_told(sky: Sky) -> None:
    throttled = (400, "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>")
    made = client(aws(sky))
    sky.answers = [throttled]
    made.list_stacks()
    sky.answers = [throttled] * 2
    with pytest.raises(Throttled, match=f"cloudformation ListStacks \\(account {HOME} af-south-1\\): Throttling: Rate exceeded"):
        made.list_stacks()
    assert sky.count("ListStacks") == 4


def test_a_paginator_raises_our_errors_too(sky: Sky) -> None:
    made = client(aws(sky))
    sky.answers = [(400, "<ErrorResponse><Error><Code>ValidationError</Code><Message>no</Message></Error></ErrorResponse>")]
    with pytest.raises(BadRequest):
        list(made.get_paginator("list_stacks").paginate())


def test_a_request_that_is_not_valid_never_leaves(sky: Sky) -> None:
    with pytest.raises(BadRequest, match="StackName"):
        client(aws(sky)).delete_stack()
    assert sky.count("DeleteStack") == 0


def test_a_broken_network(sky: Sky) -> None:
    from botocore.exceptions import EndpointConnectionError

    def cut(request: Any, **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=request.url)

    with pytest.raises(NetworkError, match="Could not connect"):
        HookedAws(cut, settings=Settings(total_attempts=1)).identity()


def test_the_project_and_the_bounds_are_in_every_client(sky: Sky) -> None:
    made = client(aws(sky, settings=Settings(user_agent="project/1")))
    made.list_stacks()
    assert "project/1" in sky.requests[-1][3]
    config = made.meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (5.0, 30.0, 32)
    assert config.retries == {"mode": "standard", "total_max_attempts": 8}


def test_a_local_aws_gives_each_account_its_own_credentials_and_assumes_nothing(sky: Sky) -> None:
    room = aws(
        sky, endpoint_url="http://127.0.0.1:1", static_credentials=lambda account: StaticCredentials(access_key=account, secret_key="x")
    )
    client(room, OTHER).list_stacks()
    assert {(host, key) for host, _, key, _ in sky.requests} == {("127.0.0.1", OTHER)}
    assert sky.count("AssumeRole") == 0
    with pytest.raises(CredentialsError):
        room.identity()


def test_a_local_aws_is_asked_without_anything_of_the_callers(sky: Sky, monkeypatch: pytest.MonkeyPatch, environment: Path) -> None:
    (environment / "config").write_text("[this is no configuration")
    nonsense = {
        "AWS_PROFILE": "nonsense",
        "AWS_DATA_PATH": "/nonsense",
        "AWS_ENDPOINT_URL": "http://nonsense.invalid",
        "AWS_MAX_ATTEMPTS": "x",
    }
    for name, value in {**nonsense, "HTTP_PROXY": "http://nonsense.invalid:1", "AWS_USE_FIPS_ENDPOINT": "true"}.items():
        monkeypatch.setenv(name, value)
    given = StaticCredentials(access_key=OTHER, secret_key="x")
    made = client(aws(sky, endpoint_url="http://127.0.0.1:1", static_credentials=lambda _: given), OTHER)
    made.list_stacks()
    assert {(host, key) for host, _, key, _ in sky.requests} == {("127.0.0.1", OTHER)}
    assert made.meta.config.proxies == {}


def test_templates_are_named_in_path_style_locally_and_by_virtual_host_at_aws(sky: Sky) -> None:
    credentials = StaticCredentials(access_key=HOME, secret_key="x")
    local = aws(sky, endpoint_url="http://127.0.0.1:1", static_credentials=lambda _: credentials)
    assert S3.connect(local, account_id=HOME, region="eu-west-1").template_url("b", "k y/ü") == "http://127.0.0.1:1/b/k%20y/%C3%BC"
    real = S3.connect(aws(sky), account_id=HOME, region="af-south-1").template_url("b", "k/t.json")
    assert real == "https://b.s3.af-south-1.amazonaws.com/k/t.json"


def test_clients_are_made_once_by_any_number_of_threads(sky: Sky) -> None:
    room = aws(sky)
    made: list[Any] = []
    threads = [threading.Thread(target=lambda: made.append(client(room, OTHER))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({id(each) for each in made}) == 1
    assert sky.count("AssumeRole") == 1


def test_botocore_still_calls_the_method_that_translates() -> None:
    """The seam: `_make_api_call` is botocore's, and `creating-client-class` its extension point."""
    from botocore.client import BaseClient

    assert callable(BaseClient._make_api_call)  # type: ignore[attr-defined]
    session = botocore.session.get_session()
    seen: list[str] = []

    def note(**given: Any) -> None:
        seen.append(given["base_classes"][0].__name__)

    session.register("creating-client-class", note)
    session.create_client("sts", region_name="us-east-1")
    assert len(seen) == 1
    assert re.fullmatch(r"\w+", seen[0])


@pytest.mark.parametrize("url", ["not a url", "http://", "http://[::1", "http://h:99999", "http://h:x", "http://user:hunter2hunter2/x@h"])
def test_an_endpoint_that_is_no_url_is_a_setting_to_mend_and_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore takes it from the environment, and each part of it and of Python has an error of its own for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(BadRequest, match="URL of the settings is none") as raised:
        Aws(settings=Settings(total_attempts=1)).identity()
    assert "hunter2" not in str(raised.value)


def test_who_stands_in_the_place_of_aws_is_known_without_being_asked(sky: Sky, monkeypatch: pytest.MonkeyPatch, environment: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:4566")
    (environment / "config").write_text("[default]\nendpoint_url = https://u:p@aws.example\n")
    assert Aws().overrides() == (
        "AWS_ENDPOINT_URL_S3 leads to http://127.0.0.1:4566",
        "endpoint_url of the profile leads to https://aws.example",
    )
    assert sky.requests == []


@pytest.mark.parametrize("given", ['"SecretAccessKey": 5', '"SecretAccessKey": null', '"SecretAccessKey": ["k"], "SessionToken": 1'])
def test_credentials_that_are_no_text_are_told(sky: Sky, monkeypatch: pytest.MonkeyPatch, environment: Path, given: str) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    told = f'{{"Version": 1, "AccessKeyId": "A", {given}}}'
    (environment / "config").write_text(f"[profile own]\ncredential_process = echo '{told}'\n")
    with pytest.raises(CredentialsError, match=r"^the secret access key is no text$"):
        Aws(profile="own").identity()


def test_an_mfa_code_that_nobody_can_type_is_told(sky: Sky, monkeypatch: pytest.MonkeyPatch, environment: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    role = "role_arn = arn:aws:iam::222222222222:role/r\nmfa_serial = arn:aws:iam::222222222222:mfa/m\nsource_profile = own\n"
    (environment / "config").write_text(f"[profile own]\naws_access_key_id = HOMEKEY\naws_secret_access_key = s\n{role}")
    monkeypatch.setattr(AssumeRoleProvider.__init__, "__defaults__", (nobody, None, None))
    with pytest.raises(CredentialsError, match=r"asks for an MFA code \(mfa_serial\), and nobody is there") as refused:
        Aws(profile="own").identity()
    assert "aws sts get-session-token" in refused.value.hint


def nobody(_: str) -> str:
    raise EOFError
