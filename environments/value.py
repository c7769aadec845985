"""What every value of the model is built on.

In: nothing. Out: `Value`, and the types that more than one file of the model needs. Never: knows a key of the environment files.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

DomainName = Annotated[
    str,
    Meta(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])\Z",
        max_length=253,
        description="Lower-case DNS name without a trailing dot.",
    ),
]
CertificateName = Annotated[
    str,
    Meta(
        pattern=r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])\Z",
        max_length=253,
        description="DNS name, or a wildcard such as *.example.com.",
    ),
]
CostCentre = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[\w .:/=+@-]+\Z",
        description="Tag of every stack, by which bills are divided: 1 to 64 letters, digits, spaces and _.:/=+@-",
    ),
]
TableName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{3,128}\Z", description="DynamoDB table name.")]
UrlPath = Annotated[
    str,
    Meta(
        pattern=r"^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?\Z",
        max_length=200,
        description='Path with a leading and no trailing slash; "/" is the root.',
    ),
]
RoleArn = Annotated[
    str,
    Meta(pattern=r"^arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]{1,128}\Z", description="ARN of an IAM role, path and name at most 128 long."),
]
"""AWS takes 512 and 64; two policies of the deploy role have to name it and keep to IAM's sizes."""
ZoneId = Annotated[str, Meta(pattern=r"^Z[A-Z0-9]{5,31}\Z", description="Hosted zone id, without /hostedzone/.")]


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every value of the model."""


Region = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]\Z", description="AWS region, for example eu-west-1.")]
BucketName = Annotated[
    str, Meta(description="S3 bucket name: 3 to 63 of a-z, 0-9 and hyphen. Dots are refused: they break TLS host names.")
]
