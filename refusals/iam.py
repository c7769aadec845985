"""IAM: trust policies, roles, managed policies, identity providers; what bucket, key and secret policies need beside grammar.

Sources: IAM API Reference (CreateRole, CreatePolicy, CreateOpenIDConnectProvider), IAM User Guide; Amazon S3 User Guide (policy actions);
KMS Developer Guide (default key policy); Secrets Manager User Guide (resource-based policies).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from refusals.documents import documents, misspelt
from refusals.values import At, Deployment, Problem, Resource, between, fits, once, refusal
from refusals.words import HOST_URL

_API = "https://docs.aws.amazon.com/IAM/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_ROLE = "AWS::IAM::Role"
_ENTITIES = (_ROLE, "AWS::IAM::User", "AWS::IAM::Group")
_NAME = re.compile(r"[\w+=,.@-]{1,128}")
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/.+")
_TRUST = {
    "sts:assumerole": ("AWS", "Service", "CanonicalUser"),
    "sts:assumerolewithwebidentity": ("Federated",),
    "sts:assumerolewithsaml": ("Federated",),
}


@refusal("E9514", _ROLE, f"{_GUIDE}/id_roles_create_for-idp_oidc.html")
def trust(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A trust policy lets its principals in by the call that they make.

    Actions of sts only; sts:AssumeRole for accounts and services, AssumeRoleWithWebIdentity and WithSAML for federated ones; conditions
    on the provider that is trusted.
    """
    for document in documents(resource):
        if document.kind != "trust":
            continue
        for statement in document.statements():
            principal, calls = statement.at("Principal"), statement.items("Action")
            for action in calls:
                name = action.literal.lower()
                if name and name != "*" and not name.startswith("sts:"):
                    yield action.path, f"{action.value} is no action of sts; a trust policy has no other"
            main = {
                kind
                for action in calls
                for name, kinds in _TRUST.items()
                if fnmatchcase(name, action.literal.lower() or "-")
                for kind in kinds
            }
            for kind in principal.names():
                if main and kind not in main and kind in ("AWS", "Service", "Federated"):
                    yield (*principal.path, kind), f"{kind} does not call {', '.join(str(action.value) for action in calls)}"
            yield from _issuer(statement, principal)
            for at in principal.items("Federated"):
                for kind, call in (("saml-provider", "assumerolewithwebidentity"), ("oidc-provider", "assumerolewithsaml")):
                    if f":{kind}/" in at.literal and any(action.literal.lower() == f"sts:{call}" for action in calls):
                        yield at.path, f"a {kind} does not come by {call}"


def _issuer(statement: At, principal: At) -> Iterator[Problem]:
    hosts = [match[1] for at in principal.items("Federated") if (match := re.search(r":oidc-provider/([^$]+)$", at.literal))]
    for operator in statement.at("Condition").names():
        for key in statement.at("Condition", operator).names():
            host, _, claim = key.rpartition(":")
            if hosts and claim in ("aud", "sub", "amr", "azp") and host not in hosts:
                yield (*statement.path, "Condition", operator, key), f"the provider is {hosts[0]}, not {host}"


@refusal("E9515", _ENTITIES, f"{_API}/API_CreateRole.html")
def entity(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A role, user or group has names and policies that IAM takes.

    Policies by ARN, each once; a path between slashes; a session of 1 to 12 hours.
    """
    given = resource.properties
    for key in ("RoleName", "UserName", "GroupName"):
        yield from fits(given.at(key), re.compile(r"[\w+=,.@-]{1,64}" if key != "GroupName" else r"[\w+=,.@-]{1,128}"), "name of IAM")
    yield from fits(given.at("Path"), re.compile(r"/|/[!-\x7f]+/"), "path, which begins and ends with a slash")
    yield from between(given.at("MaxSessionDuration"), 3600, 43200)
    attached = given.items("ManagedPolicyArns")
    yield from once(attached, "policy")
    for at in (*attached, given.at("PermissionsBoundary")):
        yield from fits(at, _POLICY_ARN, "ARN of a managed policy")
        made = deployment.meant(at)
        if made and made.kind.startswith("AWS::") and made.kind != "AWS::IAM::ManagedPolicy":
            yield at.path, f"{made.kind} is no managed policy"
    yield from once((policy.at("PolicyName") for policy in given.items("Policies")), "PolicyName")
    for policy in given.items("Policies"):
        yield from fits(policy.at("PolicyName"), _NAME, "name of a policy")
    yield from fits(
        given.at("Description"),
        re.compile(r"[\t\n\r\x20-\x7e\xa1-\xff]*"),
        "description: control characters and letters beyond Latin-1 are refused",
    )


@refusal("E9516", ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"), f"{_API}/API_CreatePolicy.html")
def policy(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A policy has a name, and an inline one somebody who has it."""
    given = resource.properties
    for key in ("ManagedPolicyName", "PolicyName"):
        yield from fits(given.at(key), _NAME, "name of a policy")
    yield from fits(given.at("Path"), re.compile(r"/|/[!-\x7f]+/"), "path, which begins and ends with a slash")
    if resource.kind == "AWS::IAM::Policy" and not any(
        given.at(key).there and given.at(key).value != [] for key in ("Roles", "Users", "Groups")
    ):
        yield given.at("Roles").path, "an inline policy needs Roles, Users or Groups"
    for key in ("Roles", "Users", "Groups"):
        yield from once(given.items(key), key)


@refusal("E9517", "AWS::IAM::OIDCProvider", f"{_API}/API_CreateOpenIDConnectProvider.html")
def provider(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An identity provider has an https URL, audiences and thumbprints.

    Without query, fragment and port; at most 100 audiences and 5 thumbprints of 40 hexadecimal digits.
    """
    given = resource.properties
    url = given.at("Url")
    yield from fits(url, HOST_URL, "https URL of an issuer")
    if re.match(r"https://[^/]*:\d", url.literal):
        yield url.path, "an issuer's URL has no port"
    for key, most in (("ClientIdList", 100), ("ThumbprintList", 5)):
        found = given.items(key)
        yield from once(found, key)
        if len(found) > most:
            yield given.at(key).path, f"at most {most}"
    for at in given.items("ThumbprintList"):
        yield from fits(at, re.compile(r"[0-9A-Fa-f]{40}"), "thumbprint of 40 hexadecimal digits")


_OBJECT_ACTIONS = re.compile(
    r"s3:(((get|put|delete|restore|replicate)object(?!lockconfiguration).*)|abortmultipartupload|listmultipartuploadparts|bypassgovernanceretention"
    r"|replicate(delete|tags)|objectowneroverridetobucketowner|initiatereplication)"
)
_BUCKET_ACTIONS = re.compile(
    r"s3:(listbucket.*|(get|put|delete|create)bucket.*|(get|put)(lifecycle|replication|encryption|metrics|analytics|inventory|accelerate)configuration)"
)
_LISTING_KEYS = ("s3:prefix", "s3:delimiter", "s3:max-keys")


@refusal("E9418", "AWS::S3::BucketPolicy", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html")
def bucket_policy(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Each action of a bucket policy is one of S3 and applies to a resource beside it.

    Actions on objects want BUCKET/*, those on the bucket its ARN; S3 refuses others (MalformedPolicy: Action does not apply to any
    resource(s) in statement). s3:prefix, s3:delimiter and s3:max-keys are for listing.
    """
    for statement in resource.properties.items("PolicyDocument", "Statement"):
        resources = [at.text for at in statement.items("Resource")]
        told = bool(resources) and all(text and text != "${?}" for text in resources)
        objects, buckets = (
            any(("/" in (text or "") or (text or "").endswith("*")) for text in resources),
            any("/" not in (text or "/") for text in resources),
        )
        for action in statement.items("Action"):
            name = action.literal.lower()
            if name and name != "*" and not name.startswith("s3:"):
                yield action.path, f"{action.value} is no action of S3"
            if told and _OBJECT_ACTIONS.fullmatch(name) and "*" not in name and not objects:
                yield action.path, f"{action.value} applies to objects: BUCKET/*"
            if told and _BUCKET_ACTIONS.fullmatch(name) and "*" not in name and not buckets:
                yield action.path, f"{action.value} applies to the bucket, without /*"
        names = [action.literal.lower() for action in statement.items("Action")]
        for operator in statement.at("Condition").names():
            for key in statement.at("Condition", operator).names():
                if key.lower() in _LISTING_KEYS and names and all(_OBJECT_ACTIONS.fullmatch(name) and "*" not in name for name in names):
                    yield (*statement.path, "Condition", operator, key), f"{key} is for listing; these actions do not send it"
                if key.lower().startswith("s3:") and not S3_KEYS.fullmatch(key.lower()):
                    yield (*statement.path, "Condition", operator, key), f"S3 has no key {key}"


S3_KEYS = re.compile(
    r"s3:(accessgrantsinstancearn|accesspoint(networkorigin|tag/.+)|authtype|buckettag/.+|dataaccesspoint(account|arn)|delimiter|destinationregion"
    r"|existing(joboperation|jobpriority|objecttag/.+)|if-(none-)?match|inventoryaccessibleoptionalfields|isreplicationpauserequest"
    r"|jobsuspendedcause|locationconstraint|max-keys|object-lock-(legal-hold|mode|remaining-retention-days|retain-until-date)"
    r"|objectcreationoperation|prefix|request(joboperation|jobpriority|objecttag/.+|objecttagkeys)|resourceaccount|signature(age|version)"
    r"|tlsversion|versionid|x-amz-.+|annotation.*)"
)
"""Source: Service Authorization Reference, condition keys for Amazon S3."""


_ASSUMED = {
    "AWS::CloudFormation::StackSet": (("AdministrationRoleARN", "cloudformation.amazonaws.com"),),
    "AWS::CloudFront::RealtimeLogConfig": (("EndPoints.*.KinesisStreamConfig.RoleArn", "cloudfront.amazonaws.com"),),
    "AWS::Lambda::Function": (("Role", "lambda.amazonaws.com"),),
    "AWS::Logs::SubscriptionFilter": (("RoleArn", "logs.amazonaws.com"),),
}
"""Type -> where a role stands that the service assumes as itself; for replication of buckets s3.py has it."""


@refusal("E9518", tuple(_ASSUMED), "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html")
def assumed(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A role that a service assumes trusts that service.

    Refused otherwise ("The role defined for the function cannot be assumed by Lambda"); for a role of the same template.
    """
    for path, service in _ASSUMED[resource.kind]:
        found = [resource.properties]
        for step in path.split("."):
            found = [inner for at in found for inner in (at.items() if step == "*" else (at.at(step),))]
        for at in found:
            role = deployment.meant(at, _ROLE)
            statements = role.properties.items("AssumeRolePolicyDocument", "Statement") if role else []
            trusted = [each for statement in statements for each in statement.items("Principal", "Service")]
            everything = [statement.at("Principal") for statement in statements]
            unknown = any(not each.known for each in (*trusted, *everything))
            regional = re.compile(rf"{re.escape(service.partition('.')[0])}(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
            if role and statements and not unknown and not any(regional.fullmatch(each.literal) for each in trusted):
                yield at.path, f"{role.name} does not trust {service}"


_INVOKER = re.compile(r"\*|\d{12}|arn:.+|[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com)")


@refusal("E9519", "AWS::Lambda::Permission", "https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html")
def invoker(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A function is opened to a service, an account or somebody in it.

    Lambda refuses another Principal as invalid (InvalidParameterValueException).
    """
    principal = resource.properties.at("Principal")
    yield from fits(principal, _INVOKER, "service, account or ARN")
    if meant := misspelt(principal.literal):
        yield principal.path, f"there is no service {principal.literal!r}; is it {meant!r}?"
