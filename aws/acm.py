"""ACM: how far a certificate is, and which DNS records its validation waits for.

In: a certificate's ARN. Out: a frozen value. Raises `aws.errors`. Never: requests, deletes or waits.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from aws.answers import Answer, read
from aws.gateway import Regional

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient


class Validation(Answer, frozen=True, kw_only=True):
    """The DNS record that proves one domain; name and value are None for the first seconds of a certificate's life."""

    domain: str = field(name="DomainName")
    status: str = field(name="ValidationStatus", default="PENDING_VALIDATION")
    record_name: str | None = field(name="ResourceRecord.Name", default=None)
    """Without the last dot."""
    record_type: str | None = field(name="ResourceRecord.Type", default=None)
    record_value: str | None = field(name="ResourceRecord.Value", default=None)


class Certificate(Answer, frozen=True, kw_only=True):
    """DescribeCertificate, as far as it is of use here."""

    arn: str = field(name="CertificateArn", default="")
    status: str
    """PENDING_VALIDATION, ISSUED, FAILED, VALIDATION_TIMED_OUT, ..."""
    names: tuple[str, ...] = field(name="SubjectAlternativeNames", default=())
    validations: tuple[Validation, ...] = field(name="DomainValidationOptions", default=())
    not_after: datetime | None = None


class Acm(Regional):
    """The certificates of one account and region."""

    client: ACMClient
    service = "acm"

    def certificate(self, arn: str) -> Certificate:
        """`NotFound` if there is none."""
        found = read(self.client.describe_certificate(CertificateArn=arn), Certificate, "Certificate")
        without_dots = (replace(v, record_name=v.record_name and v.record_name.rstrip(".")) for v in found.validations)
        return replace(found, arn=arn, validations=tuple(without_dots))
