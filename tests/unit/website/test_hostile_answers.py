"""A site that answers what no site of ours would: each check says failed, and none ends verify."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from tests.unit.website.test_content import CONTRACT
from tests.unit.website.visits import NOW
from verification.model import Endpoint, Target
from verification.probe import Answer, Probe
from verification.registry import registered
from verification.verify import made


class Hostile(Probe):
    """Every request gets the same answer."""

    answer: Answer

    def get(self, *_: object, **__: object) -> Answer:
        return self.answer

    get_host = get_plain = get_elsewhere = get


@pytest.mark.attack
@pytest.mark.parametrize("status", [200, 301, 404])
@pytest.mark.parametrize(
    "value", [b"\xb2", b"9" * 5000, b"http://[", b"//[::1/", b"", b"\xff\xfe", b',;="', b"max-age=\xb2"], ids=lambda value: repr(value[:12])
)
def test_no_answer_ends_verify(status: int, value: bytes) -> None:
    names = ("age", "location", "cache-control", "content-type", "content-encoding", "strict-transport-security", "www-authenticate")
    headers = httpx.Headers([*((name.encode(), value) for name in names), (b"x-cache", b"Hit from cloudfront")])
    contract = msgspec.structs.replace(CONTRACT, entry_path="/buy")
    target = Target(contract=contract, endpoint=Endpoint(host="127.0.0.1", port=1), password="x", username="y")
    probe = Hostile(target, lambda: NOW)
    with probe:
        for body in (b"\xff<html><base href='http://['><script src='//[x'></script>", b""):
            probe.answer = Answer(status, headers, body, "HTTP/2")
            for each in registered():
                made(each, probe)


@pytest.mark.parametrize(
    ("preview", "carried", "status"), [(True, (), "skipped"), (False, (), "failed"), (True, CONTRACT.certificate_names, "passed")]
)
def test_a_preview_may_not_know_the_names_of_a_certificate_of_others(preview: bool, carried: tuple[str, ...], status: str) -> None:
    probe = Hostile(Target(contract=CONTRACT, preview=preview), lambda: NOW)
    probe.certificate = {"subjectAltName": tuple(("DNS", name) for name in (CONTRACT.domain, *carried))}
    (check,) = (each for each in registered() if each.id == "tls.names")
    result = made(check, probe)
    assert result is not None and result.status == status
