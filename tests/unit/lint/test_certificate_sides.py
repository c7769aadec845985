"""Rules of certificates over one resource: the smallest thing that each refuses beside the nearest that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import certificates
from lint.rules.base import Rule
from tests.unit.lint.test_rule_sides import GONE, IMPORTED, either, told


def certificate(domain: Any = "a.example", *others: Any, **more: Any) -> dict[str, Any]:
    names = {"DomainName": domain} | ({"SubjectAlternativeNames": [*others]} if others else {})
    return {"Type": "AWS::CertificateManager::Certificate", "Properties": {**names, **more}}


def options(*names: Any, zone: Any = "Z1") -> dict[str, Any]:
    return {"DomainValidationOptions": [{"DomainName": name, "HostedZoneId": zone} for name in names]}


ONE, OTHER = ({"DomainName": name, "HostedZoneId": "Z1"} for name in ("a.example", "*.a.example"))
SECOND = "X.DomainValidationOptions.1.DomainName"
CASES: list[tuple[type[Rule], dict[str, Any], list[str]]] = [
    (certificates.OneRecordOnce, certificate(**options("a.example", "*.A.example.")), [SECOND]),
    (certificates.OneRecordOnce, certificate(**options("a.example", "*.b.example")), []),
    (certificates.OneRecordOnce, certificate(**options("a.example", IMPORTED, "b.example")), []),
    (certificates.OneRecordOnce, certificate(**options("a.example", "*.a.example", zone=GONE)), []),
    (certificates.OneRecordOnce, certificate(**options("a.example", IMPORTED, "*.a.example")), ["X.DomainValidationOptions.2.DomainName"]),
    (certificates.OneRecordOnce, certificate(DomainValidationOptions=[ONE, either(OTHER, GONE)]), ["X.DomainValidationOptions.1"]),
    (certificates.OneRecordOnce, certificate(DomainValidationOptions=[either(ONE, GONE), either(GONE, OTHER)]), []),
    (certificates.OptionOfTheCertificate, certificate(**options("b.example")), ["X.DomainValidationOptions.0.DomainName"]),
    (certificates.OptionOfTheCertificate, certificate("A.example", **options("a.example")), []),
    (certificates.OptionOfTheCertificate, certificate("a.example", "b.example", **options("b.example")), []),
    (certificates.OptionOfTheCertificate, certificate("a.example", IMPORTED, **options("b.example")), []),
    (certificates.OptionOfTheCertificate, certificate(**options(IMPORTED)), []),
    (
        certificates.OptionOfTheCertificate,
        certificate("a.example", either("c.example", GONE), **options("b.example")),
        ["X.DomainValidationOptions.0.DomainName"],
    ),
    (certificates.EveryRecordWritten, certificate("a.example", "b.example", **options("a.example")), ["X.SubjectAlternativeNames.0"]),
    (certificates.EveryRecordWritten, certificate("a.example", "*.a.example", **options("a.example")), []),
    (certificates.EveryRecordWritten, certificate("a.example", "*.a.example", **options("*.A.example")), []),
    (certificates.EveryRecordWritten, certificate("a.example", "b.example", **options(IMPORTED)), []),
    (certificates.EveryRecordWritten, certificate("a.example", IMPORTED, **options("a.example")), []),
    (certificates.EveryRecordWritten, certificate("a.example", "b.example", **options("a.example", zone=GONE)), []),
    (certificates.EveryRecordWritten, certificate("a.example", "b.example"), []),
    (certificates.ByDns, certificate(), ["X.ValidationMethod"]),
    (certificates.ByDns, certificate(ValidationMethod="EMAIL"), ["X.ValidationMethod"]),
    (certificates.ByDns, certificate(ValidationMethod=either("DNS", GONE)), ["X.ValidationMethod"]),
    (certificates.ByDns, certificate(ValidationMethod="DNS"), []),
    (certificates.ByDns, certificate(ValidationMethod=IMPORTED), []),
    (certificates.FirstName, certificate("a" * 65), ["X.DomainName"]),
    (certificates.FirstName, certificate("a" * 64, "b" * 65), []),
    (certificates.FirstName, certificate(IMPORTED), []),
]


@pytest.mark.parametrize(("rule", "resource", "paths"), CASES)
def test_what_is_refused_of_a_certificate_and_what_is_not(rule: type[Rule], resource: dict[str, Any], paths: list[str]) -> None:
    assert [path.split(".Fn::If")[0] for path in told(rule, X=resource)] == paths


def test_what_is_not_known_of_one_certificate_says_nothing_of_the_next() -> None:
    unknown, wrong = certificate("a.example", IMPORTED, **options(IMPORTED)), certificate("a.example", "c.example", **options("b.example"))
    assert told(certificates.OptionOfTheCertificate, W=unknown, X=wrong) == ["X.DomainValidationOptions.0.DomainName"]
    found = told(certificates.EveryRecordWritten, V=certificate(), W=unknown, X=wrong)
    assert found == ["X.DomainName", "X.SubjectAlternativeNames.0"]
