"""A certificate that somebody else makes: doctor says whether it will do, and the plan before a creation does so too."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aws.errors import NotFound
from doctor.check import Check
from doctor.checks.caa import caa
from doctor.checks.foreign_certificate import CODE, foreign_certificate
from doctor.deployment import _BLOCKING, _CODES
from doctor.engine import registered
from doctor.relied_on import FOUNDATION, relied_on
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

DEV = environments()["dev"]
ARN = f"arn:aws:acm:us-east-1:{DEV.account_id}:certificate/0a1b2c3d-1111-2222-3333-444455556666"


class Aws:
    """Clients of an account that has one certificate, or none."""

    def __init__(self, **certificate: Any) -> None:
        self.certificate = certificate

    def client(self, *_: Any, **__: Any) -> Any:
        return self

    def describe_certificate(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"CertificateArn": ARN}
        if not self.certificate:
            raise NotFound("none", code="ResourceNotFoundException")
        return {"Certificate": {"Status": "ISSUED", "SubjectAlternativeNames": ["kimmyai.io", "*.kimmyai.io"], **self.certificate}}


def context(aws: Aws, **certificate: Any) -> Any:
    assembly = synthesise(changed(DEV, {"certificate": certificate})).assembly
    return SimpleNamespace(assembly=assembly, aws=aws, environment="dev", resolver=None)


@pytest.mark.parametrize(
    ("stands", "level", "said"),
    [
        ({"Status": "ISSUED"}, "ok", "of others is issued"),
        ({"Status": "EXPIRED"}, "problem", "is EXPIRED"),
        ({"SubjectAlternativeNames": ["kimmyai.io"]}, "problem", "is not for *.kimmyai.io"),
        ({}, "problem", "there is no certificate"),
    ],
)
def test_what_stands(stands: dict[str, Any], level: str, said: str) -> None:
    (found,) = foreign_certificate.run(context(Aws(**stands), arn=ARN))
    assert (getattr(found, "level"), said in getattr(found, "message")) == (level, True)  # noqa: B009
    assert foreign_certificate.deployment and CODE in _CODES & _BLOCKING, "plan tells it too"


def test_a_local_aws_has_no_certificate_of_others_and_is_deployed_to_without() -> None:
    (ours,) = (each for each in registered() if isinstance(each, Check) and each.code == CODE)
    assert ours.at_aws_only


def test_our_own_is_not_asked_for_and_one_of_others_needs_no_consent_of_the_dns() -> None:
    assert not list(foreign_certificate.run(context(Aws())))
    assert not list(caa.run(context(Aws(), arn=ARN)))
    assert list(caa.run(context(Aws())))


def test_a_plan_looks_at_a_certificate_that_is_new_to_it_and_at_a_foundation_that_is_not_its_own() -> None:
    ours = synthesise(DEV)
    theirs = synthesise(changed(DEV, {"certificate": {"arn": ARN}}))
    assert relied_on(theirs.assembly, theirs.templates, ours.assembly) == {CODE} <= _BLOCKING
    assert relied_on(theirs.assembly, theirs.templates, theirs.assembly) == set()
    longer = synthesise(changed(DEV, {"certificate": {"arn": ARN, "subject_alternative_names": ["*.dev.kimmyai.io"]}}))
    assert relied_on(longer.assembly, longer.templates, theirs.assembly) == {CODE}, "the same one may not be for the new name"
    assert relied_on(theirs.assembly, theirs.templates, None) == set(), "the first time all that concerns a deployment is looked at"
    assert relied_on(ours.assembly, ours.templates, theirs.assembly) == set()
    without = {name: body for name, body in ours.templates.items() if name != "foundation"}
    assert relied_on(ours.assembly, without, ours.assembly) == FOUNDATION <= _BLOCKING
