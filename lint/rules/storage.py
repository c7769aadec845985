"""Stored data: no public bucket, nothing unencrypted, nothing that a stack's deletion takes along.

In: a template. Out: problems of buckets, their policies, and of everything that holds data.
Never: takes "cannot be known" for private: what must be true has to be literally true in every case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lint.rules.base import Problem, Rule
from lint.rules.edge import edge_functions, edge_versions
from templates.resources import DATA_HOLDING_TYPES, RETAINING
from templates.view import ABSENT, UNKNOWN, Node, Reference, View, logical_id, mapping, reference

_BUCKET = "AWS::S3::Bucket"
_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


class PublicAccess(Rule):
    id = "E9401"
    shortdesc = "Every bucket blocks public access in all four ways"
    description = "PublicAccessBlockConfiguration with all four settings true."
    source_url = f"{_GUIDE}/access-control-block-public-access.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_BUCKET):
            for config in view.at(properties, "PublicAccessBlockConfiguration"):
                if not isinstance(config.value, dict):
                    yield config.path, f"PublicAccessBlockConfiguration must set {', '.join(_BLOCKS)} to true"
                    continue
                for name in _BLOCKS:
                    for node in view.at(config, name):
                        if not node.is_true():
                            yield node.path, f"{name} must be true"


class Ownership(Rule):
    id = "E9402"
    shortdesc = "Buckets have no access control lists"
    description = "OwnershipControls BucketOwnerEnforced, and no AccessControl."
    source_url = f"{_GUIDE}/about-object-ownership.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_BUCKET):
            for node in view.at(properties, "AccessControl"):
                if node.present:
                    yield node.path, "AccessControl sets an access control list; leave it out"
            rules = list(view.items(properties, "OwnershipControls", "Rules"))
            owners = [owner for rule in rules for owner in view.at(rule, "ObjectOwnership")]
            if not owners or any(not node.present for node in view.at(properties, "OwnershipControls", "Rules")):
                yield (*properties.path, "OwnershipControls"), "ObjectOwnership must be BucketOwnerEnforced"
            for owner in owners:
                if owner.value != "BucketOwnerEnforced":
                    yield owner.path, "ObjectOwnership must be BucketOwnerEnforced"


class Encryption(Rule):
    id = "E9403"
    shortdesc = "Every bucket says how it is encrypted"
    description = "BucketEncryption with SSEAlgorithm AES256, aws:kms or aws:kms:dsse."
    source_url = f"{_GUIDE}/bucket-encryption.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_BUCKET):
            rules = view.items(properties, "BucketEncryption", "ServerSideEncryptionConfiguration")
            found = any(node.present for rule in rules for node in view.at(rule, "ServerSideEncryptionByDefault", "SSEAlgorithm"))
            if not found or not all(node.present for node in view.at(properties, "BucketEncryption")):
                yield (*properties.path, "BucketEncryption"), "no ServerSideEncryptionByDefault with an SSEAlgorithm"


class TlsOnly(Rule):
    id = "E9404"
    shortdesc = "Every bucket refuses requests without TLS"
    description = "A bucket policy in the same template denies s3:* to everyone on bucket and objects where aws:SecureTransport is false."
    source_url = f"{_GUIDE}/security-best-practices.html"

    def check(self, view: View) -> Iterator[Problem]:
        policies = list(view.properties("AWS::S3::BucketPolicy"))
        for bucket in view.resources(_BUCKET):
            mine = [policy for policy in policies if _is_policy_of(view, policy, bucket)]
            statements = (statement for policy in mine for statement in view.items(policy, "PolicyDocument", "Statement"))
            if not _in_every_case(statement for statement in statements if _denies_plain_http(view, statement)):
                what = "its bucket policy has no" if mine else "it has no bucket policy with a"
                yield bucket.path, f"{what} Deny of s3:* on bucket and objects for everyone where aws:SecureTransport is false"


def _is_policy_of(view: View, policy: Node, bucket: Node) -> bool:
    names = (node.value for node in view.at(view.properties_of(bucket), "BucketName"))
    ours = [Reference(logical_id(bucket)), *(name for name in names if name not in (ABSENT, UNKNOWN))]
    return any(node.value in ours for node in view.at(policy, "Bucket"))


def _in_every_case(nodes: Iterable[Node]) -> bool:
    """One of them is there whatever holds, or two stand for each other."""
    given = {node.given for node in nodes}
    opposite = ({(condition, not outcome)} for each in given if len(each) == 1 for condition, outcome in each)
    return frozenset() in given or any(each in given for each in opposite)


def _denies_plain_http(view: View, statement: Node) -> bool:
    def always(*steps: str) -> list[Node]:
        return [node for node in view.items(statement, *steps) if node.given <= statement.given]

    denied = [node.value for node in view.at(statement, "Effect")] == ["Deny"]
    everyone = any(node.value == "*" for node in (*always("Principal"), *always("Principal", "AWS")))
    everything = any(node.value in ("s3:*", "*") for node in always("Action"))
    plain = any(
        node.value in ("false", False)
        for key in ("aws:SecureTransport", "aws:securetransport", "AWS:SecureTransport")
        for node in always("Condition", "Bool", key)
    )
    resources = always("Resource")
    objects = any((node.text or "").endswith("*") for node in resources)
    bucket = not all((node.text or "").endswith("/*") for node in resources)
    conditions = [node.value for node in view.at(statement, "Condition")]
    # A further condition would leave requests that it does not meet unrefused.
    only = all(isinstance(value, dict) and list(value) == ["Bool"] and len(mapping(value["Bool"])) == 1 for value in conditions)
    return denied and everyone and everything and plain and objects and bucket and only


class OwnResources(Rule):
    id = "E9406"
    shortdesc = "A bucket policy names its own bucket"
    description = "Resources are the bucket's ARN, or that with a path; S3 refuses any other (MalformedPolicy)."
    source_url = f"{_GUIDE}/s3-bucket-user-policy-specifying-principal-intro.html"

    def check(self, view: View) -> Iterator[Problem]:
        for policy in view.properties("AWS::S3::BucketPolicy"):
            own = _names_of(view, policy)
            if own is None:
                continue
            for statement in view.items(policy, "PolicyDocument", "Statement"):
                for node in view.items(statement, "Resource"):
                    bucket = _bucket_of(node)
                    # A name with a wildcard may mean the bucket; a reference or a name that is not one of its own does not.
                    if bucket and not set("*?") & set(bucket) and bucket not in own and (bucket.startswith("$") or _literal(own)):
                        yield node.path, f"{bucket} is another bucket than the policy's"


def _names_of(view: View, policy: Node) -> set[str] | None:
    """The bucket of a policy in every way to write it: `${LogicalId}`, its literal name; None where it may be any."""
    found: set[str] = set()
    for node in view.at(policy, "Bucket"):
        target = reference(node)
        if target is None and "${" in (node.text or "${"):
            return None
        found.add(f"${{{target.name}}}" if target else str(node.value))
    for bucket in view.resources(_BUCKET):
        if _is_policy_of(view, policy, bucket):
            names = view.at(view.properties_of(bucket), "BucketName")
            found |= {f"${{{logical_id(bucket)}}}", *(name.text for name in names if name.text and "${" not in name.text)}
    return found


def _literal(names: set[str]) -> bool:
    return any(not name.startswith("$") for name in names)


def _bucket_of(node: Node) -> str | None:
    """The bucket of a resource in a policy; None where it cannot be told."""
    target = reference(node)
    if target is not None:
        return f"${{{target.name}}}" if target.attribute == "Arn" else None
    text = node.text or ""
    attribute = re.match(r"\$\{(\w+)\.Arn\}", text)
    if attribute:
        return f"${{{attribute[1]}}}"
    name = text.partition(":s3:::")[2].partition("/")[0]
    return name if re.fullmatch(r"\$\{\w+\}|[^${}]+", name) else None


class Retained(Rule):
    id = "E9405"
    shortdesc = "What holds data, or cannot be deleted at once, is retained"
    description = "DeletionPolicy and UpdateReplacePolicy Retain on data and on functions that run at the edge."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"

    def check(self, view: View) -> Iterator[Problem]:
        for resource in view.resources(*DATA_HOLDING_TYPES):
            yield from self._not_retained(resource, f"deleting it loses {DATA_HOLDING_TYPES[resource.value['Type']]}")
        for resource in (*edge_functions(view), *edge_versions(view)):
            yield from self._not_retained(resource, "a replicated function cannot be deleted with its stack")

    @staticmethod
    def _not_retained(resource: Node, why: str) -> Iterator[Problem]:
        policy = resource.value.get("DeletionPolicy")
        if not isinstance(policy, str) or policy not in RETAINING:
            yield (*resource.path, "DeletionPolicy"), f"DeletionPolicy must be Retain: {why}"
        if resource.value.get("UpdateReplacePolicy") != "Retain":
            yield (*resource.path, "UpdateReplacePolicy"), f"UpdateReplacePolicy must be Retain: {why}"
