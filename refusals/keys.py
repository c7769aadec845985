"""KMS keys and Secrets Manager secrets.

Sources: KMS API Reference (CreateKey, CreateAlias), KMS Developer Guide ("Default key policy"); Secrets Manager API Reference
(CreateSecret, GetRandomPassword, RotateSecret), CloudFormation reference (GenerateSecretString).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from environments.regions import REGIONS
from refusals.values import Deployment, Problem, Resource, between, exclude, fits, needs, once, one_of, refusal
from refusals.words import CHINA_AND_GOVERNMENT

_KMS = "https://docs.aws.amazon.com/kms/latest/APIReference"
_SECRETS = "https://docs.aws.amazon.com/secretsmanager/latest"
_KEY, _ALIAS, _SECRET, _ROTATION = (
    "AWS::KMS::Key",
    "AWS::KMS::Alias",
    "AWS::SecretsManager::Secret",
    "AWS::SecretsManager::RotationSchedule",
)
_SIGNING, _ENCRYPTING, _AGREEING, _MAC = "SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT", "GENERATE_VERIFY_MAC"
USAGES = (
    (re.compile(r"SYMMETRIC_DEFAULT"), (_ENCRYPTING,)),
    (re.compile(r"HMAC_(224|256|384|512)"), (_MAC,)),
    (re.compile(r"RSA_(2048|3072|4096)"), (_ENCRYPTING, _SIGNING)),
    (re.compile(r"ECC_NIST_P(256|384|521)"), (_SIGNING, _AGREEING)),
    (re.compile(r"ECC_SECG_P256K1|ECC_NIST_EDWARDS25519|ML_DSA_(44|65|87)"), (_SIGNING,)),
    (re.compile(r"SM2"), (_ENCRYPTING, _SIGNING, _AGREEING)),
)


@refusal("E9605", _KEY, f"{_KMS}/API_CreateKey.html")
def key(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A key has a use that its kind is for, and rotates if it is symmetric.

    RotationPeriodInDays 90 to 2,560 with EnableKeyRotation; deletion after 7 to 30 days.
    """
    given = resource.properties
    spec, usage = given.at("KeySpec"), given.at("KeyUsage")
    kind = spec.literal or ("" if spec.there else "SYMMETRIC_DEFAULT")
    use = usage.literal or ("" if usage.there else _ENCRYPTING)
    uses = [found for pattern, found in USAGES if pattern.fullmatch(kind)]
    if kind and not uses:
        yield spec.path, f"{kind!r} is no kind of key"
    if uses and use and use not in uses[0]:
        yield usage.path, f"{kind} is for {', '.join(uses[0])}, not for {use}"
    symmetric = kind == "SYMMETRIC_DEFAULT"
    if given.at("EnableKeyRotation").true and kind and not symmetric:
        yield given.at("EnableKeyRotation").path, "only symmetric keys for encryption rotate"
    if given.at("EnableKeyRotation").true and given.at("Origin").literal not in ("", "AWS_KMS"):
        yield given.at("EnableKeyRotation").path, "only keys that KMS makes itself rotate"
    if given.at("RotationPeriodInDays").there and given.at("EnableKeyRotation").told and not given.at("EnableKeyRotation").true:
        yield given.at("RotationPeriodInDays").path, "RotationPeriodInDays needs EnableKeyRotation true"
    yield from between(given.at("RotationPeriodInDays"), 90, 2560)
    yield from between(given.at("PendingWindowInDays"), 7, 30)


@refusal("E9606", _KEY, "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html")
def key_policy(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A key policy is about its own key, and somebody may change it.

    Resource *; an Allow of kms:PutKeyPolicy (or kms:*) without it nobody, the root of the account included, could manage the key; KMS
    refuses such a policy (MalformedPolicyDocument).
    """
    given = resource.properties
    document = given.at("KeyPolicy")
    if not isinstance(document.value, dict) or given.at("BypassPolicyLockoutSafetyCheck").true:
        return
    managed = False
    for statement in document.items("Statement"):
        for action in statement.items("Action"):
            if action.literal not in ("", "*") and not action.literal.lower().startswith("kms:"):
                yield action.path, f"{action.value} is no action of KMS"
            pattern = re.escape(action.literal.lower()).replace(r"\*", ".*").replace(r"\?", ".")
            managed |= statement.at("Effect").value == "Allow" and bool(re.fullmatch(pattern, "kms:putkeypolicy"))
        managed |= not statement.at("Action").known
        for at in statement.items("Resource"):
            if at.literal and at.value != "*" and ":key/" in at.literal:
                yield at.path, "in a key policy the key is *; it has no ARN before it is made"
    if not managed and document.items("Statement"):
        yield document.path, "nobody may change this policy again: allow kms:PutKeyPolicy, usually kms:* for the account's root"


@refusal("E9607", _ALIAS, f"{_KMS}/API_CreateAlias.html")
def alias(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An alias begins with alias/ and stands for a key.

    Not with alias/aws/, which is for AWS; not for another alias.
    """
    name, target = resource.properties.at("AliasName"), resource.properties.at("TargetKeyId")
    yield from fits(name, re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}"), "name of an alias")
    if name.literal.startswith("alias/aws/"):
        yield name.path, "names that begin with alias/aws/ are kept for AWS"
    if re.search(r"(^|:)alias/", target.literal) or deployment.meant(target, _ALIAS):
        yield target.path, "an alias stands for a key, not for an alias"


_CLASSES = (("ExcludeLowercase", 26), ("ExcludeUppercase", 26), ("ExcludeNumbers", 10), ("ExcludePunctuation", 32))


@refusal("E9608", _SECRET, f"{_SECRETS}/apireference/API_CreateSecret.html")
def secret(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A secret has a value of one source, and a generated one can be generated.

    SecretString or GenerateSecretString; SecretStringTemplate is a JSON object and comes with GenerateStringKey; 1 to 4,096 characters,
    at least one kind left, long enough for each; replicas in other regions, each once.
    """
    given = resource.properties
    yield from exclude(given, "SecretString", "GenerateSecretString")
    yield from fits(given.at("Name"), re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}"), "name of a secret")
    generate = given.at("GenerateSecretString")
    template, length = generate.at("SecretStringTemplate"), generate.at("PasswordLength")
    yield from needs(generate, "SecretStringTemplate", "GenerateStringKey")
    yield from needs(generate, "GenerateStringKey", "SecretStringTemplate")
    if template.text is not None:
        try:
            fine = isinstance(json.loads(template.text), dict)
        except (ValueError, RecursionError):
            fine = False
        if not fine:
            yield template.path, "no JSON object"
    yield from between(length, 1, 4096)
    left = [name for name, _ in _CLASSES if not generate.at(name).true]
    if not left and isinstance(generate.value, dict):
        yield generate.path, "every kind of character is excluded"
    every = not generate.at("RequireEachIncludedType").there or generate.at("RequireEachIncludedType").true
    if every and length.number is not None and 1 <= length.number < len(left):
        yield length.path, f"{length.value} characters cannot have each of {len(left)} kinds"
    replicas = [replica.at("Region") for replica in given.items("ReplicaRegions")]
    yield from once(replicas, "region")
    for region in replicas:
        yield from one_of(region, REGIONS | CHINA_AND_GOVERNMENT, "region")
        if region.literal and region.literal == deployment.region:
            yield region.path, "the secret's own region"


@refusal("E9609", _ROTATION, f"{_SECRETS}/apireference/API_RotationRulesType.html")
def rotation(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A rotation has a function and one rhythm of at least four hours.

    AutomaticallyAfterDays (1 to 1,000) or ScheduleExpression, rate(...) or cron(...); RotationLambdaARN or HostedRotationLambda.
    """
    given = resource.properties
    rules, rhythm = given.at("RotationRules"), given.at("RotationRules", "ScheduleExpression")
    yield from exclude(rules, "AutomaticallyAfterDays", "ScheduleExpression")
    yield from between(rules.at("AutomaticallyAfterDays"), 1, 1000)
    yield from exclude(given, "RotationLambdaARN", "HostedRotationLambda")
    if rules.there and not any(
        given.at(name).there for name in ("RotationLambdaARN", "HostedRotationLambda", "ExternalSecretRotationRoleArn")
    ):
        yield given.at("RotationLambdaARN").path, "a rotation needs RotationLambdaARN or HostedRotationLambda"
    yield from fits(rhythm, re.compile(r"rate\(\d+ (hours?|days?)\)|cron\(.+\)"), "rhythm: rate(10 days) or cron(...)")
    hours = re.fullmatch(r"rate\((\d+) hours?\)", rhythm.literal)
    if hours and int(hours[1]) < 4:
        yield rhythm.path, "four hours or more"
