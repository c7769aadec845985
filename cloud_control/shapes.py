"""Documents of S3's and CloudFront's APIs as provider schemas have the same.

In: XML. Out: plain values. Never: a store.

The schemas leave out the counts of CloudFront's lists and put some names in another case (provider schemas of AWS::CloudFront::Distribution
and AWS::S3::Bucket against the services' API references).
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, fromstring

_NUMBERS = (
    "TTL",
    "Code",
    "Port",
    "Timeout",
    "Attempts",
    "Days",
    "Versions",
    "Sec",
    "Quantity",
    "Bytes",
    "SizeLessThan",
    "SizeGreaterThan",
    "DaysAfterInitiation",
)
"""Endings of the names of what is a number."""

_RENAMED = {
    "ACMCertificateArn": "AcmCertificateArn",
    "CustomHeaders": "OriginCustomHeaders",
    "IAMCertificateId": "IamCertificateId",
    "IsIPV6Enabled": "IPV6Enabled",
    "OriginSslProtocols": "OriginSSLProtocols",
    "SSLSupportMethod": "SslSupportMethod",
    "WebACLId": "WebACLId",
}

_S3_LISTS = frozenset({"Rule", "Transition", "NoncurrentVersionTransition", "RoutingRule", "Tag"})


def parsed(text: str) -> Any:
    """The structure of a document of CloudFront's, without what a template cannot say."""
    return shaped(fromstring(text))  # noqa: S314


def shaped(element: Element) -> Any:
    """One element."""
    children = {_tag(each): each for each in element}
    if not children:
        return _scalar(_tag(element), element.text or "")
    if "Quantity" in children:
        return _list(children)
    return {_RENAMED.get(name, name): shaped(each) for name, each in children.items()}


def _list(children: dict[str, Element]) -> Any:
    items = [shaped(each) for each in children["Items"]] if "Items" in children else []
    rest = {name: shaped(each) for name, each in children.items() if name not in ("Quantity", "Items")}
    return {**rest, "Items": items} if rest else items


def _scalar(name: str, text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if name.endswith(_NUMBERS) and text.isdecimal():
        return int(text)
    return text


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def distribution(text: str) -> dict[str, Any]:
    """DistributionConfig."""
    config: dict[str, Any] = parsed(text)
    config.pop("CallerReference", None)
    for behaviour in (config.get("DefaultCacheBehavior"), *(config.get("CacheBehaviors") or [])):
        if isinstance(behaviour, dict):
            _behaviour(behaviour)
    restriction = (config.get("Restrictions") or {}).get("GeoRestriction")
    if isinstance(restriction, dict) and "Items" in restriction:
        restriction["Locations"] = restriction.pop("Items")
    logging = config.get("Logging")
    if isinstance(logging, dict) and not logging.pop("Enabled", False):
        del config["Logging"]
    return {name: value for name, value in config.items() if value not in ([], "", {})}


def _behaviour(behaviour: dict[str, Any]) -> None:
    methods = behaviour.get("AllowedMethods")
    if isinstance(methods, dict):
        behaviour["AllowedMethods"] = methods.get("Items", [])
        if "CachedMethods" in methods:
            behaviour["CachedMethods"] = methods["CachedMethods"]
    for name in ("TrustedSigners", "TrustedKeyGroups"):
        if isinstance(behaviour.get(name), dict):
            behaviour[name] = behaviour[name].get("Items", [])
    for name in [name for name, value in behaviour.items() if value in ([], "")]:
        del behaviour[name]


def s3(text: str) -> dict[str, Any]:
    """A setting of a bucket."""
    found: dict[str, Any] = _s3(fromstring(text))  # noqa: S314
    return found


def _s3(element: Element) -> Any:
    if len(element) == 0:
        return _scalar(_tag(element), element.text or "")
    found: dict[str, Any] = {}
    for each in element:
        name = _tag(each)
        if name in _S3_LISTS:
            found.setdefault(f"{name}s" if name != "Rule" else "Rules", []).append(_s3(each))
        else:
            found["Id" if name == "ID" else name] = _s3(each)
    return found
