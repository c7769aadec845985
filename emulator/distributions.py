# mypy: allow-untyped-calls
"""CloudFront as strict as on AWS about invalidation paths, alternate domain names and the certificate.

In: CreateInvalidation, and distributions that are made or changed by the API or by a stack.
Out: CloudFront's refusal before anything changes.

Never: reads a certificate that was imported into ACM: which names that has is not known here, so it covers all.

Sources: CloudFront Developer Guide, "What you need to know when invalidating paths" (characters that are unsafe in RFC 1738 must be
URL-encoded), "Requirements for using alternate domain names" (the certificate's SAN covers each), "Requirements for using SSL/TLS
certificates with CloudFront" (us-east-1, the distribution's account) and quotas; API reference, CreateInvalidation; aws/aws-sdk#525 (`~`
is refused).
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

import ministack.services.cloudformation.provisioners as cfn
from ministack.core.responses import get_account_id
from ministack.services import acm, cloudfront

PATH_CHARACTERS = 4000
PATHS_AT_ONCE = 3000
WILDCARDS_AT_ONCE = 15

_SAFE_PATH = re.compile(r"/(?:[!$&'()*+,\-./0-9:;=?@A-Z_a-z]|%[0-9A-Fa-f]{2})*")
"""Printable ASCII without RFC 1738's unsafe characters; `%` only before two hexadecimal digits."""

_TAKEN = "One or more of the CNAMEs you provided are already associated with a different resource."
_UNCERTIFIED = (
    "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that validates your"
    " authorization to use the domain name."
)
_NO_CERTIFICATE = (
    "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain."
)
_NOT_COVERED = (
    "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that you're trying to add."
)


class Refused(ValueError):
    """What CloudFront does not take, as a stack tells it."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(f"Invalid request provided: AWS::CloudFront::Distribution: {words} ({code})")
        self.answer = (code, words, status)


def install() -> None:
    """Check before MiniStack's API handlers and resource handlers."""
    create_invalidation, create, update = cloudfront._create_invalidation, cloudfront._create_distribution, cloudfront._update_distribution

    def create_invalidation_checked(dist_id: str, body: bytes) -> Any:
        return _invalidation_refusal(cloudfront._parse_body(body)) or create_invalidation(dist_id, body)

    def create_checked(headers: Any, body: bytes) -> Any:
        config, _ = cloudfront._unwrap_distribution_create_xml(cloudfront._parse_body(body))
        reference = cloudfront._text(config, "CallerReference") if config is not None else ""
        repeated = [each["Id"] for each in cloudfront._distributions.values() if each.get("CallerReference") == reference]
        return _refusal(config, *repeated) or create(headers, body)

    def update_checked(dist_id: str, headers: Any, body: bytes) -> Any:
        return _refusal(cloudfront._parse_body(body), dist_id) or update(dist_id, headers, body)

    vars(cloudfront).update(
        _create_invalidation=create_invalidation_checked, _create_distribution=create_checked, _update_distribution=update_checked
    )
    handlers: Any = cfn._RESOURCE_HANDLERS["AWS::CloudFront::Distribution"]
    stack_create, stack_update = handlers["create"], handlers["update"]

    def stack_create_checked(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _check(cfn._cf_distribution_config(props, ""))
        return stack_create(logical_id, props, stack_name)

    def stack_update_checked(physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any, **named: Any) -> Any:
        _check(cfn._cf_distribution_config(new, ""), physical_id)
        return stack_update(physical_id, old, new, *more, **named)

    handlers |= {"create": stack_create_checked, "update": stack_update_checked}


def _invalidation_refusal(batch: Element | None) -> Any:
    paths = cloudfront._find(batch, "Paths") if batch is not None else None
    if paths is None:
        return None
    items = _items(paths)
    if str(len(items)) != cloudfront._text(paths, "Quantity"):
        return cloudfront._error("InconsistentQuantities", "The value of Quantity and the size of Items don't match.", 400)
    if not items or any(len(each) > PATH_CHARACTERS or not _SAFE_PATH.fullmatch(each) for each in items):
        return cloudfront._error("InvalidArgument", "Your request contains one or more invalid invalidation paths.", 400)
    if len(items) > PATHS_AT_ONCE or sum(each.endswith("*") for each in items) > WILDCARDS_AT_ONCE:
        return cloudfront._error("TooManyInvalidationsInProgress", "Processing your request will cause you to exceed the limit.", 400)
    return None


def _refusal(config: Element | None, *own: str) -> Any:
    try:
        if config is not None:
            _check(config, *own)
    except Refused as refused:
        return cloudfront._error(*refused.answer)
    return None


def _aliases(config: Element) -> list[str]:
    listed = cloudfront._find(config, "Aliases")
    return [] if listed is None else _items(listed)


def _items(listed: Element) -> list[str]:
    """The texts of CloudFront's lists: a Quantity, and Items."""
    found = cloudfront._find(listed, "Items")
    return [] if found is None else [each.text or "" for each in found]


def _check(config: Element, *own: str) -> None:
    """A name belongs to one distribution. At AWS of all accounts; here of this one: the accounts of a test stand for separate worlds."""
    names = {each.lower() for each in _aliases(config)}
    for distribution in cloudfront._distributions.values() if names else ():
        other = cloudfront._parse_body(distribution["config_xml"].encode())
        if distribution["Id"] not in own and names & {each.lower() for each in _aliases(other)}:
            raise Refused("CNAMEAlreadyExists", _TAKEN, 409)
    viewer = cloudfront._find(config, "ViewerCertificate")
    arn = "" if viewer is None else cloudfront._text(viewer, "ACMCertificateArn")
    if not arn:
        if names and not (viewer is not None and cloudfront._text(viewer, "IAMCertificateId")):
            raise Refused("InvalidViewerCertificate", _UNCERTIFIED)
        return
    certificate = acm._certificates.get_scoped(get_account_id(), "us-east-1", arn)
    if certificate is None or certificate["Status"] != "ISSUED":
        raise Refused("InvalidViewerCertificate", _NO_CERTIFICATE)
    covered = {each.lower() for each in certificate["SubjectAlternativeNames"]}
    # A wildcard stands for one label.
    if certificate["Type"] != "IMPORTED" and any(not {each, f"*.{each.partition('.')[2]}"} & covered for each in names):
        raise Refused("InvalidViewerCertificate", _NOT_COVERED)
