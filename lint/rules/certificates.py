"""Certificates: what Route 53 and ACM refuse, or what would leave a stack waiting for a validation record that nobody writes.

In: a template. Out: problems of certificates and of their validation options.
Never: knows which zone a name lies in; that is for whoever reads the environment files.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from templates.view import Node, View, together

LONGEST_FIRST_NAME = 64
"""Characters of DomainName. Source: ACM API, RequestCertificate: the first name goes into the common name, which X.509 limits to 64."""

_CERTIFICATE = "AWS::CertificateManager::Certificate"
_REFERENCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html"
_DNS = "https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html"


def record_of(name: str) -> str:
    """What a name's validation record hangs below: a name and its wildcard share one record."""
    return name.lower().rstrip(".").removeprefix("*.")


def names(view: View, properties: Node) -> list[Node]:
    """The certificate's names, the first one first."""
    return [*view.at(properties, "DomainName"), *view.items(properties, "SubjectAlternativeNames")]


def options(view: View, properties: Node) -> Iterator[tuple[Node, Node]]:
    """Every validation option with each name that it can have."""
    for option in view.items(properties, "DomainValidationOptions"):
        for name in view.at(option, "DomainName"):
            yield option, name


class OneRecordOnce(Rule):
    id = "E9801"
    shortdesc = "Each validation record is asked for once"
    description = (
        "A name and its wildcard share one validation record; CloudFormation sends it once for each option that names a zone, "
        "and Route 53 refuses the second (InvalidChangeBatch). Leave the wildcard out of DomainValidationOptions."
    )
    source_url = _DNS

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_CERTIFICATE):
            seen: list[tuple[Node, str]] = []
            for option, name in options(view, properties):
                if name.text is None or not any(zone.present for zone in view.at(option.when(name), "HostedZoneId")):
                    continue
                record = record_of(name.text)
                twin = next((text for node, text in seen if record_of(text) == record and together(node, name)), None)
                if twin is not None:
                    yield name.path, f"{name.text} has the same validation record as {twin}, another of the options; leave it out"
                seen.append((name, name.text))


class OptionOfTheCertificate(Rule):
    id = "E9802"
    shortdesc = "A validation option is for a name of the certificate"
    description = "DomainValidationOptions holds names of DomainName and SubjectAlternativeNames only."
    source_url = _REFERENCE

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_CERTIFICATE):
            own = {node.text and node.text.lower() for node in names(view, properties)}
            for _, name in options(view, properties):
                # None among its own: a name that only AWS will know.
                if name.text is not None and not own & {None, name.text.lower()}:
                    yield name.path, f"{name.text} is not a name of the certificate"


class EveryRecordWritten(Rule):
    id = "E9803"
    shortdesc = "Where CloudFormation writes one validation record it writes all"
    description = "A name without a hosted zone beside names with one leaves the stack waiting for a record that nobody writes."
    source_url = _REFERENCE

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_CERTIFICATE):
            written = {
                name.text and record_of(name.text)
                for option, name in options(view, properties)
                if any(zone.present for zone in view.at(option.when(name), "HostedZoneId"))
            }
            for node in names(view, properties):
                if written and node.text is not None and not written & {None, record_of(node.text)}:
                    yield node.path, f"nobody writes the validation record of {node.text}; give it an option with a hosted zone"


class ByDns(Rule):
    id = "E9804"
    shortdesc = "A certificate is validated by DNS"
    description = "By e-mail (also the default) somebody has to answer a message at creation and again at every renewal."
    source_url = "https://docs.aws.amazon.com/acm/latest/userguide/email-validation.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_CERTIFICATE):
            for node in view.at(properties, "ValidationMethod"):
                if node.text != "DNS" and (node.known or not node.present):
                    yield node.path, "ValidationMethod must be DNS"


class FirstName(Rule):
    id = "E9805"
    shortdesc = f"The first name of a certificate has at most {LONGEST_FIRST_NAME} characters"
    description = "It becomes the common name; longer names stand among SubjectAlternativeNames."
    source_url = "https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_CERTIFICATE):
            for node in view.at(properties, "DomainName"):
                if node.text and len(node.text) > LONGEST_FIRST_NAME:
                    yield node.path, f"has {len(node.text)} characters; put a shorter name first"
