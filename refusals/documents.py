"""Policies of every kind: where they stand, and the grammar that all of them share.

In: a resource. Out: its policy documents with their kind; problems of grammar, principals, conditions and ARNs.
Never: judges whether a policy allows too much (`lint.rules.iam` does).

Sources: IAM User Guide, "IAM JSON policy reference" (elements, condition operators, global condition keys, principals).
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from refusals.values import At, Deployment, Problem, Resource, refusal
from refusals.words import REGION

Kind = Literal["identity", "trust", "s3", "sns", "kms", "secretsmanager", "logs", "sqs"]

_REFERENCE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies"
_PLACES: dict[str, tuple[tuple[tuple[str, ...], Kind], ...]] = {
    "AWS::IAM::ManagedPolicy": ((("PolicyDocument",), "identity"),),
    "AWS::IAM::Policy": ((("PolicyDocument",), "identity"),),
    "AWS::IAM::RolePolicy": ((("PolicyDocument",), "identity"),),
    "AWS::IAM::UserPolicy": ((("PolicyDocument",), "identity"),),
    "AWS::IAM::GroupPolicy": ((("PolicyDocument",), "identity"),),
    "AWS::IAM::Role": ((("AssumeRolePolicyDocument",), "trust"), (("Policies",), "identity")),
    "AWS::IAM::User": ((("Policies",), "identity"),),
    "AWS::IAM::Group": ((("Policies",), "identity"),),
    "AWS::S3::BucketPolicy": ((("PolicyDocument",), "s3"),),
    "AWS::SNS::TopicPolicy": ((("PolicyDocument",), "sns"),),
    "AWS::SQS::QueuePolicy": ((("PolicyDocument",), "sqs"),),
    "AWS::KMS::Key": ((("KeyPolicy",), "kms"),),
    "AWS::SecretsManager::ResourcePolicy": ((("ResourcePolicy",), "secretsmanager"),),
    "AWS::Logs::LogGroup": ((("ResourcePolicyDocument",), "logs"),),
    "AWS::Logs::ResourcePolicy": ((("PolicyDocument",), "logs"),),
    "AWS::Logs::DeliveryDestination": ((("DeliveryDestinationPolicy", "DeliveryDestinationPolicy"), "logs"),),
}
KINDS = tuple(_PLACES)


@dataclass(frozen=True)
class Document:
    """A policy document, its kind, and its place where it is JSON in a text."""

    at: At
    kind: Kind
    text: At | None = None

    def statements(self) -> list[At]:
        """Its statements."""
        return self.at.items("Statement")

    def placed(self, found: Iterator[Problem]) -> Iterator[Problem]:
        """Problems within a text are shown at the text."""
        for path, message in found:
            yield (path, message) if self.text is None else (self.text.path, f"{'.'.join(map(str, path))}: {message}")


def documents(resource: Resource) -> Iterator[Document]:
    """The policy documents of a resource."""
    for way, kind in _PLACES.get(resource.kind, ()):
        if way == ("Policies",):
            for policy in resource.properties.items("Policies"):
                yield Document(policy.at("PolicyDocument"), kind)
            continue
        at = resource.properties.at(*way)
        if at.text is not None:
            try:
                parsed = json.loads(at.text)
            except (ValueError, RecursionError):
                continue
            yield Document(At(parsed), kind, at)
        elif at.there:
            yield Document(at, kind)


_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"})


@refusal("E9509", KINDS, f"{_REFERENCE}_grammar.html")
def grammar(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A policy keeps to the grammar of its kind.

    Version, Statement; in each an Effect, Action or NotAction, one of them; Resource where it is no trust policy; Principal in a
    resource or trust policy and in no other; Sid letters and digits, once.
    """
    for way, _ in _PLACES.get(resource.kind, ()):
        text = resource.properties.at(*way)
        if text.literal and not text.literal.lstrip().startswith("{"):
            yield text.path, "no policy in JSON"
        elif text.literal and not list(documents(resource)):
            yield text.path, "a policy that is not JSON"
    for document in documents(resource):
        yield from document.placed(_grammar(document))


def _grammar(document: Document) -> Iterator[Problem]:
    at = document.at
    if not isinstance(at.value, dict):
        return
    for key in sorted(set(at.names()) - _TOP):
        yield (*at.path, key), "no element of a policy"
    if at.at("Version").known and str(at.at("Version").value) not in _VERSIONS:
        yield at.at("Version").path, f"{at.at('Version').value!r} is no version of the language; write 2012-10-17"
    if not at.at("Statement").there or at.at("Statement").value in ([], {}):
        yield at.at("Statement").path, "a policy without a statement"
    seen: set[str] = set()
    for statement in document.statements():
        if not isinstance(statement.value, dict):
            yield statement.path, "a statement is an object"
            continue
        yield from _statement(document.kind, statement)
        sid = statement.at("Sid")
        if sid.literal and sid.literal in seen:
            yield sid.path, f"Sid {sid.literal} stands twice"
        seen.add(sid.literal)
        # Only policies of identities are that strict.
        if document.kind == "identity" and sid.literal and not re.fullmatch(r"[A-Za-z0-9]+", sid.literal):
            yield sid.path, f"Sid {sid.literal!r}: letters and digits only"


def _statement(kind: Kind, at: At) -> Iterator[Problem]:
    for key in sorted(set(at.names()) - _ELEMENTS):
        yield (*at.path, key), "no element of a statement"
    if not at.at("Effect").there or (at.at("Effect").known and at.at("Effect").value not in ("Allow", "Deny")):
        yield at.at("Effect").path, "Effect is Allow or Deny"
    for pair, wanted in (
        (("Action", "NotAction"), True),
        (("Resource", "NotResource"), kind != "trust"),
        (("Principal", "NotPrincipal"), kind != "identity"),
    ):
        there = [key for key in pair if at.at(key).there]
        if len(there) == 2:
            yield at.at(pair[1]).path, f"{pair[0]} and {pair[1]} exclude each other"
        if wanted and not there and not (pair[0] == "Resource" and kind == "logs"):
            yield at.at(pair[0]).path, f"a statement needs {pair[0]}"
        if there and at.at(there[0]).value in ([], {}, ""):
            yield at.at(there[0]).path, f"an empty {there[0]}"
        if there and not wanted:
            yield at.at(there[0]).path, f"{there[0]} has no place in {'a trust policy' if kind == 'trust' else 'a policy of an identity'}"
    for action in (*at.items("Action"), *at.items("NotAction")):
        text = action.literal
        if text and text != "*" and not re.fullmatch(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+", text):
            yield action.path, f"{text!r} is no action, which is service:Name"
    if at.at("Condition").there and at.at("Condition").known and not isinstance(at.at("Condition").value, dict):
        yield at.at("Condition").path, "a condition is an object: operator, key, values"


_SERVICE = re.compile(r"[a-z0-9*-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|aws\.internal|amazon\.com|aws\.com)")
_AMAZON_NAMES = frozenset({"alexa-appkit.amazon.com", "signin.aws.internal", "diode.alexa.amazon.com"})
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_USER = re.compile(
    r"(arn:aws[a-z-]*:(iam|sts)::(\d{12}|cloudfront)?:(root|user/.+|role/.+|federated-user/.+|assumed-role/.+))|\d{12}|\*|[A-Z0-9]{16,128}"
)
_FEDERATED = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(oidc-provider|saml-provider)/.+|[a-z0-9.-]+\.(com|net|org|io)|\*")


@refusal("E9510", KINDS, f"{_REFERENCE}_elements_principal.html")
def principals(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A principal is one that can be.

    AWS: an account, or the ARN of a root, user, role or session, without wildcards; Service: name.amazonaws.com; Federated: a provider;
    CanonicalUser: 64 hexadecimal digits.
    """
    for document in documents(resource):
        for statement in document.statements():
            for key in ("Principal", "NotPrincipal"):
                yield from document.placed(_principal(statement.at(key)))


def _principal(at: At) -> Iterator[Problem]:
    if at.text is not None and at.known and at.value != "*":
        yield at.path, f"{at.value!r} is no principal; there are {', '.join(sorted(_PRINCIPALS))}, or *"
    for kind in at.names():
        if kind not in _PRINCIPALS:
            yield (*at.path, kind), f"{kind!r} is no kind of principal; there are {', '.join(sorted(_PRINCIPALS))}"
        if at.at(kind).value in ([], ""):
            yield at.at(kind).path, "nobody"
        for each in at.items(kind):
            text = each.literal
            if not text:
                continue
            wrong = {
                "Service": not _SERVICE.fullmatch(text) or (".amazonaws." not in text and text not in _AMAZON_NAMES) or "*" in text,
                "AWS": not _USER.fullmatch(text) or (text != "*" and "*" in text),
                "Federated": not _FEDERATED.fullmatch(text),
                "CanonicalUser": not re.fullmatch(r"[0-9a-f]{64}", text),
            }.get(kind, False)
            if wrong:
                yield each.path, f"{text!r} is no principal of kind {kind}"
            elif kind == "Service" and (meant := misspelt(text)):
                yield each.path, f"there is no service {text!r}; is it {meant!r}?"


_SERVICES = (
    *("apigateway", "cloudformation", "cloudfront", "cloudwatch", "codebuild", "codepipeline", "delivery.logs", "ec2", "edgelambda"),
    *("events", "firehose", "lambda", "logging.s3", "logger.cloudfront", "replicator.lambda", "scheduler", "secretsmanager", "states"),
    "vpc-flow-logs",
)


def misspelt(text: str) -> str | None:
    """The service that is meant where a name differs by a letter or two; short names are too like each other to tell."""
    name, _, domain = text.partition(".amazonaws.")
    close = difflib.get_close_matches(name, _SERVICES, 1, 0.9) if len(name) > 4 and name not in _SERVICES else []
    return f"{close[0]}.amazonaws.{domain}" if close else None


_BASE = {
    "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
    "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Arn": ("Equals", "NotEquals", "Like", "NotLike"),
}
OPERATORS = {f"{family}{name}".lower(): family for family, names in _BASE.items() for name in names} | {
    name.lower(): name for name in ("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null")
}
GLOBAL_KEYS = {
    key.lower(): family
    for family, keys in {
        "Bool": "MultiFactorAuthPresent PrincipalIsAWSService SecureTransport ViaAWSService IsMcpServiceAction ViaAWSMCPService",
        "IpAddress": "SourceIp VpcSourceIp",
        "Numeric": "MultiFactorAuthAge",
        "Date": "CurrentTime TokenIssueTime AssumedRootIssueTime",
        "Arn": "PrincipalArn SourceArn Ec2InstanceSourceVPCArn",
        "String": """AssumedRoot CalledVia CalledViaFirst CalledViaLast ChatbotSourceArn Ec2InstanceSourcePrivateIPv4 Ec2InstanceSourceVpc
        EpochTime FederatedProvider PrincipalAccount PrincipalOrgID PrincipalOrgPaths PrincipalServiceName PrincipalServiceNamesList
        PrincipalType Referer RequestedRegion ResourceAccount ResourceOrgID ResourceOrgPaths SourceAccount SourceIdentity SourceOrgID
        SourceOwner
        SourceOrgPaths SourceVpc SourceVpcArn SourceVpce TagKeys UserAgent UserId Username VpceAccount VpceOrgID VpceOrgPaths
        SourceVpceAccount SourceVpceOrgID SourceVpceOrgPaths""",
    }.items()
    for key in keys.split()
}
"""The name after aws: -> what it is compared as (IAM User Guide, "AWS global condition context keys")."""
_TAGS = ("principaltag/", "requesttag/", "resourcetag/")
_FIXED = {"sourceaccount": r"\d{12}", "principalaccount": r"\d{12}", "resourceaccount": r"\d{12}", "principalorgid": r"o-[a-z0-9]{10,32}"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?|-?\d+")


@refusal("E9511", KINDS, f"{_REFERENCE}_elements_condition_operators.html")
def conditions(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A condition has an operator, a key and values that fit together.

    Operators and aws: keys that there are; numbers, dates, addresses, true and false where these are compared; no wildcard under an
    operator that takes it literally.
    """
    for document in documents(resource):
        for statement in document.statements():
            condition = statement.at("Condition")
            for operator in condition.names():
                yield from document.placed(_operator(condition.at(operator), operator))


def _operator(at: At, operator: str) -> Iterator[Problem]:
    prefix, _, rest = operator.rpartition(":")
    name = rest.lower().removesuffix("ifexists")
    if prefix.lower() not in ("", "foranyvalue", "forallvalues") or name not in OPERATORS or (name == "null" and rest.lower() != "null"):
        yield at.path, f"{operator!r} is no operator"
        return
    family = OPERATORS[name]
    for key in at.names():
        values, short = at.items(key), key.lower().removeprefix("aws:")
        own = key.lower().startswith("aws:")
        if ":" not in key:
            yield (*at.path, key), f"{key!r} is no key, which is service:name"
        elif own and short not in GLOBAL_KEYS and not short.startswith(_TAGS):
            yield (*at.path, key), f"there is no global key {key}"
        elif own and family != "Null":
            compared = GLOBAL_KEYS.get(short, "String")
            if not _comparable(family, compared):
                yield (*at.path, key), f"{key} is compared as {compared}, not by {operator}"
        if not isinstance(at.value[key], list) and at.at(key).value == {}:
            yield (*at.path, key), "a key without values"
        if at.at(key).value == []:
            yield (*at.path, key), "a key without values"
        for value in values:
            if not isinstance(value.value, str | bool | int | float):
                yield value.path, "a value of a condition is a text"
            elif value.known:
                yield from _value(value, str(value.value), family, name, short if own else "")


def _comparable(family: str, compared: str) -> bool:
    family = family.removeprefix("Not")
    if family == compared or (family == "String" and compared in ("String", "Arn", "Bool")) or (family == "Arn" and compared == "String"):
        return True
    return (family == "Numeric" and compared in ("Date", "String")) or (family == "Date" and compared == "String")


def _value(at: At, text: str, family: str, name: str, key: str) -> Iterator[Problem]:
    if family in ("Bool", "Null") and text.lower() not in ("true", "false"):
        yield at.path, f"{text!r} is neither true nor false"
    if family == "Numeric" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        yield at.path, f"{text!r} is no number"
    if family == "Date" and not _DATE.fullmatch(text):
        yield at.path, f"{text!r} is no date (ISO 8601)"
    if family in ("IpAddress", "NotIpAddress"):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield at.path, f"{text!r} is no address or range"
    if name in ("stringequals", "stringnotequals") and key in ("sourcearn", "principalarn") and ("*" in text or "?" in text):
        yield at.path, f"{text!r}: under {name} a wildcard is a letter like any other; use ArnLike"
    if key in ("sourcearn", "principalarn") and text != "*" and not text.startswith(("arn:", "*")):
        yield at.path, f"{text!r} is no ARN"
    if key in _FIXED and not name.endswith("like") and not re.fullmatch(_FIXED[key], text):
        yield at.path, f"{text!r} is no value of aws:{key}"


_REGIONLESS = ("iam", "s3", "cloudfront", "route53", "organizations", "sts")
_ACCOUNTLESS = ("s3", "route53")
_WITH_REGION = (
    "dynamodb",
    "lambda",
    "sns",
    "sqs",
    "kms",
    "secretsmanager",
    "ssm",
    "cloudformation",
    "states",
    "kinesis",
    "firehose",
    "events",
    "acm",
)
_PARTITION = re.compile(r"aws(-cn|-us-gov|-iso[a-z-]*|-eusc)?|\*|\$\{.*\}")


@refusal(
    "E9512",
    KINDS,
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
    more=f"No region: {', '.join(_REGIONLESS)}; no account: {', '.join(_ACCOUNTLESS)}; both: {', '.join(_WITH_REGION)}.",
)
def arns(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An ARN in a policy has its six parts, a region and an account as its service has them."""
    for document in documents(resource):
        for statement in document.statements():
            for at in (*statement.items("Resource"), *statement.items("NotResource")):
                if at.text is not None:
                    yield from document.placed(_arn(at, at.text, deployment.region))


def _partition_of(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _arn(at: At, text: str, here: str | None) -> Iterator[Problem]:
    if set(text) <= {"*"} or text.startswith("${") or (text.startswith("*") and not text.startswith("*:")):
        return
    parts = re.sub(r"\$\{[^}]*\}", "${}", text).split(":", 5)
    if parts[0] != "arn":
        yield at.path, f"{text!r} is no ARN"
        return
    if len(parts) < 6:
        if "*" not in text:
            yield at.path, f"{text!r} has {len(parts)} parts of an ARN's six"
        return
    _, partition, service, region, account, _rest = parts
    if not _PARTITION.fullmatch(partition):
        yield at.path, f"{partition!r} is no partition"
    elif here and re.fullmatch(r"aws(-cn|-us-gov)?", partition) and partition != _partition_of(here):
        yield at.path, f"{partition} is another partition than that of {here}"
    if region and not re.search(r"[*?$]", region) and not REGION.fullmatch(region) and region not in ("aws-global",):
        yield at.path, f"{region!r} is no region"
    if service in _REGIONLESS and region not in ("", "*") and "$" not in region and ":accesspoint/" not in text:
        yield at.path, f"ARNs of {service} have no region"
    if (
        service in _ACCOUNTLESS
        and account not in ("", "*")
        and not re.search(r":(accesspoint|storage-lens|job|access-grants|async-request)", text)
    ):
        yield at.path, f"ARNs of {service} have no account"
    if service in _WITH_REGION and (not region or (not account and "::type/" not in text)):
        yield at.path, f"ARNs of {service} have a region and an account"
    if account and not re.fullmatch(r"\d{12}|\$\{\}|aws|[*?]|[\d*?]+\*.*|cloudfront|aws-managed", account):
        yield at.path, f"{account!r} is no account"


EVERYTHING = "Everybody shut out, also whoever could change the policy again"


@refusal(
    "E9513",
    ("AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::SNS::TopicPolicy", "AWS::SecretsManager::ResourcePolicy"),
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
)
def shut_out(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A resource policy does not shut out everybody.

    A Deny of all actions for everybody without a condition also denies changing the policy.
    """
    for document in documents(resource):
        for statement in document.statements():
            everybody = statement.at("Principal").value == "*" or any(at.value == "*" for at in statement.items("Principal", "AWS"))
            everything = any(re.fullmatch(r"\*|[a-z0-9]+:\*", at.literal) for at in statement.items("Action"))
            unconditional = not statement.at("Condition").there or statement.at("Condition").value == {}
            if statement.at("Effect").value == "Deny" and everybody and everything and unconditional:
                yield from document.placed(iter([(statement.path, EVERYTHING)]))
