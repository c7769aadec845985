"""ACM: how far a certificate is, and which DNS records its validation waits for.

In: a certificate's ARN. Out: a frozen value. Raises `aws.errors`. Never: requests, deletes or waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from untrusted.text import sentence

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The DNS record that proves one domain; name and value are None for the first seconds of a certificate's life."""

    domain: str
    status: str
    record_name: str | None
    record_type: str | None
    record_value: str | None


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """DescribeCertificate, as far as it is of use here."""

    arn: str
    status: str
    """PENDING_VALIDATION, ISSUED, FAILED, VALIDATION_TIMED_OUT, ..."""
    names: tuple[str, ...]
    validations: tuple[Validation, ...]
    failure_reason: str
    not_after: datetime | None
    in_use_by: tuple[str, ...]


@dataclass(frozen=True)
class Acm:
    """The certificates of one account and region."""

    client: ACMClient

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str = "us-east-1", role_arn: str | None = None) -> Acm:
        """CloudFront takes certificates from us-east-1 only."""
        return cls(aws.client("acm", account_id=account_id, region=region, role_arn=role_arn))

    def certificate(self, arn: str) -> Certificate:
        """`NotFound` if there is none."""
        found = self.client.describe_certificate(CertificateArn=arn)["Certificate"]
        validations = []
        for option in found.get("DomainValidationOptions", []):
            record = option.get("ResourceRecord")
            validations.append(
                Validation(
                    domain=option["DomainName"],
                    status=option.get("ValidationStatus", "PENDING_VALIDATION"),
                    record_name=record["Name"].rstrip(".") if record else None,
                    record_type=record["Type"] if record else None,
                    record_value=record["Value"] if record else None,
                )
            )
        return Certificate(
            arn=arn,
            status=found.get("Status", ""),
            names=tuple(found.get("SubjectAlternativeNames", [])),
            validations=tuple(validations),
            failure_reason=sentence(found.get("FailureReason", "")),
            not_after=found.get("NotAfter"),
            in_use_by=tuple(found.get("InUseBy", [])),
        )
