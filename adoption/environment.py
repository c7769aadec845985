"""An environment file whose build differs as little as the model allows from what exists.

In: the report, the environment file as it is. Out: the file with what the model can say of what is there, and what it cannot.
Never: a value that is hidden, or one that the live resource does not have; judges the file (build.py does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adoption.comparison import Difference
from adoption.report import AdoptionReport, Row
from adoption.terraform_types import BUCKET, CERTIFICATE, DISTRIBUTION, RECORD
from guards import documents
from guards.text import as_lines
from templates.values import Known

HEADERS = "AWS::CloudFront::ResponseHeadersPolicy"
_SECURITY = "ResponseHeadersPolicyConfig.SecurityHeadersConfig"
_HSTS = f"{_SECURITY}.StrictTransportSecurity"

Key = tuple[str, ...]
"""Path of a key in the environment file."""


def _boolean(text: str) -> bool:
    return text == "true"


SAYABLE: Mapping[tuple[str, str], tuple[Key, Callable[[str], Any]]] = {
    (BUCKET, "BucketName"): (("bucket",), str),
    (CERTIFICATE, "DomainName"): (("certificate", "domain_name"), str),
    (CERTIFICATE, "SubjectAlternativeNames"): (("certificate", "subject_alternative_names"), documents.loads),
    (DISTRIBUTION, "DistributionConfig.PriceClass"): (("price_class",), str),
    (DISTRIBUTION, "DistributionConfig.DefaultRootObject"): (("app", "index_document"), lambda text: f"/{text}"),
    (HEADERS, f"{_HSTS}.AccessControlMaxAgeSec"): (("security_headers", "hsts", "max_age_seconds"), int),
    (HEADERS, f"{_HSTS}.IncludeSubdomains"): (("security_headers", "hsts", "include_subdomains"), _boolean),
    (HEADERS, f"{_HSTS}.Preload"): (("security_headers", "hsts", "preload"), _boolean),
    (HEADERS, f"{_SECURITY}.FrameOptions.FrameOption"): (("security_headers", "frame_options"), str),
    (HEADERS, f"{_SECURITY}.ReferrerPolicy.ReferrerPolicy"): (("security_headers", "referrer_policy"), str),
}
"""Property to the key of the environment file that says it, and how."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What `adopt --write-environment` writes."""

    said: Mapping[Key, Any]
    """Keys with their values as they are there."""
    unsaid: tuple[str, ...]
    """Differences that no key can say: the plan that aligns ends them."""


def written(report: AdoptionReport) -> Written:
    """Of what is taken over, and of what stays its owner's."""
    said: dict[Key, Any] = {}
    unsaid: list[str] = []
    for row in report.rows:
        said |= dict(_of_row(row))
        for each in row.differences if row.fate == "take_over" else ():
            found = _of_difference(row.type, each)
            if found is None:
                unsaid.append(f"{row.stack}.{row.logical_id} {each.path}")
            else:
                said |= dict([found])
    return Written(said=said, unsaid=tuple(unsaid))


def _of_row(row: Row) -> Iterator[tuple[Key, Any]]:
    if row.fate == "used" and row.type == CERTIFICATE:
        yield ("certificate", "arn"), row.identifier["CertificateArn"]
    if row.fate == "refused" and row.type == RECORD and "hosted_zone.records" in row.command:
        yield ("hosted_zone", "records"), "unmanaged"
    if row.fate == "refused" and row.type == DISTRIBUTION and ": bucket: " in row.command:
        yield ("bucket",), row.command.partition(": bucket: ")[2].partition(",")[0]
    for shape in row.legacy:
        if shape.code == "origin_access_identity":
            yield ("adopt", "origin_access_identity"), shape.what.rpartition(" ")[2]
        if shape.code == "website_endpoint":
            yield ("adopt", "website_endpoint", "index_document"), "index.html"


def _of_difference(kind: str, each: Difference) -> tuple[Key, Any] | None:
    known = SAYABLE.get((kind, each.path))
    if known is None or not isinstance(each.live, Known):
        return None
    key, convert = known
    try:
        return key, convert(each.live.text)
    except ValueError:
        return None


def merged(current: Mapping[str, Any], said: Mapping[Key, Any]) -> dict[str, Any]:
    """The file as it is, with those keys."""
    found = {name: dict(value) if isinstance(value, Mapping) else value for name, value in current.items()}
    for key, value in said.items():
        inner = found
        for name in key[:-1]:
            below = inner.get(name)
            inner[name] = dict(below) if isinstance(below, Mapping) else {}
            inner = inner[name]
        inner[key[-1]] = value
    return found


def text(report: AdoptionReport, current: Mapping[str, Any], found: Written) -> str:
    """The file, with what is other than before and what cannot be said in comments at its beginning."""
    import yaml

    name = report.environment
    lines = [f"# {name} as it exists, by deploy.py adopt: to be read before it takes the place of environments/{name}.yaml."]
    lines += [f"# as it is there: {'.'.join(key)}" for key in found.said]
    if found.unsaid:
        lines += ["# what no key can say, so that the plan that aligns changes it:", *(f"#   {each}" for each in found.unsaid)]
    body = yaml.safe_dump(merged(current, found.said), sort_keys=False, allow_unicode=True, width=160)
    return "\n".join([*(as_lines((line,)) for line in lines), body])


def read(data: bytes) -> dict[str, Any]:
    """An environment file. Raises ValueError; its words name a place, and nothing else of the file."""
    import yaml

    try:
        found = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("no YAML; build.py says where") from None
    if isinstance(found, dict):
        return found
    raise ValueError("no mapping of keys")
