"""Placeholder values: what a parameter is given while the stack that will produce its value has not run.

In: the output's expression in the template of the stack that will produce it, the declaration of the parameter that takes it.
Out: a plausible text that the declaration accepts and that no real resource has; None if the declaration accepts none of them.
Never: random; the same output always has the same placeholder value, so that two plans of the same thing are alike.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from templates.intrinsics import references

TRIES = 12
"""Texts that are made of a pattern, of which one may fit."""


def placeholder(
    reference: str,
    expression: Any,
    resource_types: Mapping[str, str],
    declaration: Mapping[str, Any],
    *,
    account_id: str,
    region: str,
) -> str | None:
    """A placeholder value for "STACK.OUTPUT" whose value is `expression` in a template with these resource types by logical id.

    `declaration` is the consuming template's parameter, whose AllowedPattern, AllowedValues, lengths, bounds and type it satisfies.
    """
    seed = hashlib.sha256(reference.encode()).hexdigest()
    refs = sorted(references(expression)) if isinstance(expression, Mapping) and len(expression) == 1 else []
    output = reference.partition(".")[2]
    candidates: list[str] = []
    if len(refs) == 1:
        logical_id, attribute = refs[0]
        known = _TYPED.get((resource_types.get(logical_id, ""), attribute))
        if known is not None:
            candidates.append(known(seed, account_id, region))
    candidates += _by_name(output, seed, account_id, region)
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list):
        candidates += [str(v) for v in allowed]
    fitting = next((c for c in candidates if accepts(declaration, c)), None)
    return fitting if fitting is not None else _of_pattern(declaration, seed)


def _of_pattern(declaration: Mapping[str, Any], seed: str) -> str | None:
    """A text made of the pattern itself, the longest of some within the declaration's bounds: short ones are more likely to be real."""
    pattern = declaration.get("AllowedPattern")
    made: list[str] = []
    for text in () if pattern is None else _texts(str(pattern), seed):
        plain = "".join(character if " " < character <= "~" else "-" for character in text)
        made += [each for each in (plain, text, plain[: int(declaration.get("MaxLength", len(plain)))]) if accepts(declaration, each)]
    return max(made, key=len, default=None)


@functools.cache
def _texts(pattern: str, seed: str) -> tuple[str, ...]:
    """The same for every environment; none where the pattern is not understood."""
    import random

    from rstr import Rstr

    try:
        return tuple(Rstr(random.Random(f"{seed}{number}")).xeger(pattern) for number in range(TRIES))  # noqa: S311
    except (re.error, ValueError, KeyError, NotImplementedError, OverflowError, TypeError):
        return ()


def accepts(declaration: Mapping[str, Any], value: str) -> bool:
    """Whether CloudFormation would take the value for a parameter declared like this (String and Number types)."""
    pattern = declaration.get("AllowedPattern")
    kind = str(declaration.get("Type", "String"))
    try:
        if pattern is not None and re.fullmatch(str(pattern), value) is None:
            return False
        if kind == "Number" and not _within(float(value), declaration):
            return False
        low, high = int(declaration.get("MinLength", 0)), int(declaration.get("MaxLength", 4096))
    except (re.error, ValueError):
        return False
    allowed = declaration.get("AllowedValues")
    return low <= len(value) <= high and (not isinstance(allowed, list) or value in [str(v) for v in allowed])


def _within(number: float, declaration: Mapping[str, Any]) -> bool:
    return float(declaration.get("MinValue", "-inf")) <= number <= float(declaration.get("MaxValue", "inf"))


def _uuid(seed: str) -> str:
    return f"{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-8{seed[17:20]}-{seed[20:32]}"


def _upper(seed: str) -> str:
    return seed.upper()


_Maker = Callable[[str, str, str], str]


def _certificate(seed: str, account: str, region: str) -> str:
    return f"arn:aws:acm:{region}:{account}:certificate/{_uuid(seed)}"


def _function(seed: str, account: str, region: str) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:known-after-{seed[:12]}"


def _version(seed: str, account: str, region: str) -> str:
    return f"{_function(seed, account, region)}:1"


def _role(seed: str, account: str, _: str) -> str:
    return f"arn:aws:iam::{account}:role/known-after-{seed[:12]}"


def _bucket(seed: str, *_: str) -> str:
    return f"known-after-{seed[:12]}"


def _bucket_arn(seed: str, *_: str) -> str:
    return f"arn:aws:s3:::known-after-{seed[:12]}"


def _bucket_domain(seed: str, _: str, region: str) -> str:
    return f"known-after-{seed[:12]}.s3.{region}.amazonaws.com"


def _distribution_domain(seed: str, *_: str) -> str:
    return f"d{seed[:13]}.cloudfront.net"


def _distribution_id(seed: str, *_: str) -> str:
    return f"E{_upper(seed)[:13]}"


def _zone_id(seed: str, *_: str) -> str:
    return f"Z{_upper(seed)[:20]}"


def _topic(seed: str, account: str, region: str) -> str:
    return f"arn:aws:sns:{region}:{account}:known-after-{seed[:12]}"


def _table(seed: str, *_: str) -> str:
    return f"known-after-{seed[:12]}"


def _key_arn(seed: str, account: str, region: str) -> str:
    return f"arn:aws:kms:{region}:{account}:key/{_uuid(seed)}"


def _web_acl(seed: str, account: str, _: str) -> str:
    return f"arn:aws:wafv2:us-east-1:{account}:global/webacl/known-after-{seed[:12]}/{_uuid(seed)}"


_TYPED: Mapping[tuple[str, str], _Maker] = {
    ("AWS::CertificateManager::Certificate", ""): _certificate,
    ("AWS::Lambda::Version", ""): _version,
    ("AWS::Lambda::Version", "FunctionArn"): _version,
    ("AWS::Lambda::Function", "Arn"): _function,
    ("AWS::IAM::Role", "Arn"): _role,
    ("AWS::S3::Bucket", ""): _bucket,
    ("AWS::S3::Bucket", "Arn"): _bucket_arn,
    ("AWS::S3::Bucket", "RegionalDomainName"): _bucket_domain,
    ("AWS::S3::Bucket", "DomainName"): lambda seed, *_: f"known-after-{seed[:12]}.s3.amazonaws.com",
    ("AWS::CloudFront::Distribution", ""): _distribution_id,
    ("AWS::CloudFront::Distribution", "Id"): _distribution_id,
    ("AWS::CloudFront::Distribution", "DomainName"): _distribution_domain,
    ("AWS::Route53::HostedZone", ""): _zone_id,
    ("AWS::Route53::HostedZone", "Id"): _zone_id,
    ("AWS::SNS::Topic", ""): _topic,
    ("AWS::SNS::Topic", "TopicArn"): _topic,
    ("AWS::DynamoDB::Table", ""): _table,
    ("AWS::WAFv2::WebACL", "Arn"): _web_acl,
    ("AWS::KMS::Key", "Arn"): _key_arn,
    ("AWS::KMS::Key", ""): lambda seed, *_: _uuid(seed),
}
"""By resource type and attribute ("" is Ref): formats of the resource types' return values in the CloudFormation template reference."""


def _by_name(output: str, seed: str, account_id: str, region: str) -> list[str]:
    """By the output's own name, best guess first; then one of every format, since a pattern may ask for any of them."""
    makers: list[_Maker] = [
        _certificate,
        _version,
        _function,
        _role,
        _bucket_arn,
        _topic,
        _key_arn,
        _web_acl,
        lambda s, a, r: f"arn:aws:cloudfront::{a}:distribution/{_distribution_id(s, a, r)}",
        _distribution_domain,
        _bucket_domain,
        _distribution_id,
        _zone_id,
        lambda s, *_: _uuid(s),
        lambda s, *_: str(int(s[:6], 16)),
    ]
    plain = f"known-after-{seed[:12]}"
    guesses: dict[str, _Maker] = {
        "RoleArn": _role,
        "CertificateArn": _certificate,
        "VersionArn": _version,
        "FunctionArn": _function,
        "TopicArn": _topic,
        "BucketArn": _bucket_arn,
        "RegionalDomainName": _bucket_domain,
        "BucketDomainName": _bucket_domain,
        "DistributionDomainName": _distribution_domain,
        "DistributionId": _distribution_id,
        "ZoneId": _zone_id,
    }
    guess = [make(seed, account_id, region) for suffix, make in guesses.items() if output.endswith(suffix)]
    typed = [make(seed, account_id, region) for make in makers]
    return [*guess, *typed, plain] if output.endswith("Arn") else [*guess, plain, *typed]
