"""S3: names, replication, lifecycle, website, cross-origin rules, locks, events.

Sources: Amazon S3 API Reference and User Guide, each page beside its rule.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from refusals.values import At, Deployment, Problem, Resource, between, either, exclude, fits, needs, once, one_of, refusal

_API = "https://docs.aws.amazon.com/AmazonS3/latest/API"
_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
_BUCKET = "AWS::S3::Bucket"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_PREFIXES, _SUFFIXES = ("xn--", "sthree-", "amzn-s3-demo-"), ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@refusal("E9407", _BUCKET, f"{_GUIDE}/bucketnamingrules.html")
def name(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A bucket has a name that S3 gives.

    3 to 63 of a-z, 0-9, hyphen and single dots; no address, no reserved beginning or ending; no dots with acceleration.
    """
    given = resource.properties.at("BucketName")
    if not given.literal:
        return
    yield from fits(given, _NAME, "bucket name")
    try:
        ipaddress.IPv4Address(given.literal)
        yield given.path, "a bucket name is no address"
    except ValueError:
        pass
    if given.literal.startswith(_PREFIXES) or given.literal.endswith(_SUFFIXES):
        yield given.path, "S3 keeps this beginning or ending of a name for itself"
    if "." in given.literal and resource.properties.at("AccelerateConfiguration").there:
        yield given.path, "acceleration is for names without dots"


@refusal("E9408", _BUCKET, f"{_GUIDE}/replication-requirements.html")
def replication(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Replication has versions on both sides and rules that fit together.

    Versioning Enabled; another bucket, by ARN; with Filter also Priority and DeleteMarkerReplication, which is not for tags;
    ReplicationTime of 15 minutes with Metrics; a replica key with SseKmsEncryptedObjects; another owner with Account.
    """
    properties = resource.properties
    config = properties.at("ReplicationConfiguration")
    if not config.there:
        return
    status = properties.at("VersioningConfiguration", "Status")
    if not status.there or (status.known and status.value != "Enabled"):
        yield config.path, "replication needs VersioningConfiguration with Status Enabled"
    rules = config.items("Rules")
    if not 1 <= len(rules) <= 1000 and config.at("Rules").told:
        yield config.at("Rules").path, "replication has 1 to 1,000 rules"
    role = deployment.meant(config.at("Role"), "AWS::IAM::Role")
    trusted = [
        at
        for each in (role.properties.items("AssumeRolePolicyDocument", "Statement") if role else [])
        for at in each.items("Principal", "Service")
    ]
    if role and trusted and all(at.literal and at.literal != "s3.amazonaws.com" for at in trusted):
        yield config.at("Role").path, f"{role.name} does not trust s3.amazonaws.com"
    yield from once((rule.at("Id") for rule in rules), "Id")
    yield from once((rule.at("Priority") for rule in rules), "Priority")
    for rule in rules:
        yield from exclude(rule, "Prefix", "Filter")
        yield from needs(rule, "Filter", "Priority", "DeleteMarkerReplication")
        tags = rule.at("Filter", "TagFilter").there or rule.at("Filter", "And", "TagFilters").there
        if tags and rule.at("DeleteMarkerReplication", "Status").value == "Enabled":
            yield rule.at("DeleteMarkerReplication").path, "delete markers are not replicated by rules with tags"
        yield from _destination(resource, rule)


def _destination(resource: Resource, rule: At) -> Iterator[Problem]:
    destination = rule.at("Destination")
    bucket, time, metrics = destination.at("Bucket"), destination.at("ReplicationTime"), destination.at("Metrics")
    own = resource.properties.at("BucketName").literal
    if bucket.literal and not re.fullmatch(r"arn:aws[a-z-]*:s3:::[^/]+", bucket.literal):
        yield bucket.path, f"{bucket.literal!r} is no ARN of a bucket"
    if bucket.text == f"${{{resource.name}.Arn}}" or (own and bucket.literal.endswith(f":::{own}")):
        yield bucket.path, "the bucket itself"
    yield from needs(destination, "ReplicationTime", "Metrics")
    yield from needs(destination, "AccessControlTranslation", "Account")
    for at in (time.at("Time", "Minutes"), metrics.at("EventThreshold", "Minutes")):
        yield from between(at, 15, 15)
    selected, key = rule.at("SourceSelectionCriteria", "SseKmsEncryptedObjects"), destination.at("EncryptionConfiguration")
    if (key.there and not selected.there) or (selected.at("Status").value == "Enabled" and not key.there):
        yield key.path, "EncryptionConfiguration and SseKmsEncryptedObjects go together"


CLASSES = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
"""In the only order in which objects move down (S3 User Guide, Transitioning objects)."""
_ACTIONS = (
    "AbortIncompleteMultipartUpload",
    "ExpirationDate",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionExpirationInDays",
    "NoncurrentVersionTransition",
    "NoncurrentVersionTransitions",
    "Transition",
    "Transitions",
)
_MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d(T00:00:00(\.0+)?(Z|\+00:00)?)?")


@refusal("E9409", _BUCKET, f"{_API}/API_LifecycleRule.html")
def lifecycle(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A lifecycle rule does something, and its parts do not contradict each other.

    Days or a date (midnight UTC), not both; ExpiredObjectDeleteMarker without either and without tags; unfinished uploads without tags;
    ids differ; days from 1.
    """
    rules = resource.properties.items("LifecycleConfiguration", "Rules")
    yield from once((rule.at("Id") for rule in rules), "Id")
    if len(rules) > 1000:
        yield resource.properties.at("LifecycleConfiguration").path, "at most 1,000 rules"
    for rule in rules:
        if isinstance(rule.value, dict) and not any(rule.at(action).there for action in _ACTIONS):
            yield rule.path, f"a rule without any of {', '.join(_ACTIONS)}"
        yield from exclude(rule, "ExpirationInDays", "ExpirationDate")
        yield from exclude(rule, "Transition", "Transitions")
        yield from exclude(rule, "NoncurrentVersionTransition", "NoncurrentVersionTransitions")
        if rule.at("ExpiredObjectDeleteMarker").there:
            yield from exclude(rule, "ExpiredObjectDeleteMarker", "ExpirationInDays", "ExpirationDate")
            yield from exclude(rule, "ExpiredObjectDeleteMarker", "TagFilters")
        yield from exclude(rule, "AbortIncompleteMultipartUpload", "TagFilters")
        low, high = rule.at("ObjectSizeGreaterThan").number, rule.at("ObjectSizeLessThan").number
        if low is not None and high is not None and low >= high:
            yield rule.path, "ObjectSizeGreaterThan is not below ObjectSizeLessThan"
        for at in (
            rule.at("ExpirationInDays"),
            rule.at("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
            rule.at("NoncurrentVersionExpiration", "NoncurrentDays"),
        ):
            yield from between(at, 1, 2**31 - 1)
        yield from between(rule.at("NoncurrentVersionExpiration", "NewerNoncurrentVersions"), 1, 100)
        dates = [at for at in (rule.at("ExpirationDate"), *(step.at("TransitionDate") for step in rule.items("Transitions"))) if at.there]
        for date in dates:
            yield from fits(date, _MIDNIGHT, "midnight in UTC")
        if dates and (rule.at("ExpirationInDays").there or any(step.at("TransitionInDays").there for step in rule.items("Transitions"))):
            yield dates[0].path, "a rule counts in days or by dates, not both"


@refusal("E9410", _BUCKET, f"{_GUIDE}/lifecycle-transition-general-considerations.html")
def moves(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Objects move down the storage classes, each once, late enough, and before they expire.

    STANDARD_IA and ONEZONE_IA from 30 days; 30 days in these before the next class; expiration after the last move.
    """
    for rule in resource.properties.items("LifecycleConfiguration", "Rules"):
        yield from _moves([*rule.items("Transitions"), *rule.items("Transition")], rule.at("ExpirationInDays"), least=30)
        noncurrent = [*rule.items("NoncurrentVersionTransitions"), *rule.items("NoncurrentVersionTransition")]
        yield from _moves(noncurrent, rule.at("NoncurrentVersionExpiration", "NoncurrentDays"), least=30)


def _moves(steps: list[At], end: At, *, least: int) -> Iterator[Problem]:
    known = [
        (days, step)
        for step in steps
        if (days := step.at("TransitionInDays").number) is not None and step.at("StorageClass").value in CLASSES
    ]
    yield from once((step.at("StorageClass") for step in steps), "StorageClass")
    for step in steps:
        yield from exclude(step, "TransitionInDays", "TransitionDate")
        if isinstance(step.value, dict) and not step.at("TransitionInDays").there and not step.at("TransitionDate").there:
            yield step.path, "a move needs TransitionInDays or TransitionDate"
    for days, step in known:
        infrequent = step.at("StorageClass").value in ("STANDARD_IA", "ONEZONE_IA")
        if infrequent and days < least:
            yield step.at("TransitionInDays").path, f"{step.at('StorageClass').value} takes objects from {least} days on"
        if end.number is not None and end.number <= days:
            yield end.path, f"expires after {end.value} days, before or when it moves to {step.at('StorageClass').value}"
    for days, step in known:
        for later, other in known:
            if CLASSES.index(step.at("StorageClass").value) < CLASSES.index(other.at("StorageClass").value):
                wait = 30 if step.at("StorageClass").value in ("STANDARD_IA", "ONEZONE_IA") else 1
                if later < days + wait:
                    yield (
                        other.at("TransitionInDays").path,
                        f"{other.at('StorageClass').value} comes {wait} or more days after {step.at('StorageClass').value}",
                    )


@refusal("E9411", _BUCKET, f"{_API}/API_ServerSideEncryptionByDefault.html")
def encryption(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A key is given with KMS encryption only."""
    for rule in resource.properties.items("BucketEncryption", "ServerSideEncryptionConfiguration"):
        default = rule.at("ServerSideEncryptionByDefault")
        if default.at("KMSMasterKeyID").there and default.at("SSEAlgorithm").value == "AES256":
            yield default.at("KMSMasterKeyID").path, "a key with AES256; it is for aws:kms"


@refusal("E9412", _BUCKET, f"{_API}/API_WebsiteConfiguration.html")
def website(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A website shows pages or redirects, not both.

    IndexDocument is a name without slash; a redirect replaces the key or its prefix.
    """
    site = resource.properties.at("WebsiteConfiguration")
    if not isinstance(site.value, dict):
        return
    for page in ("IndexDocument", "ErrorDocument", "RoutingRules"):
        yield from exclude(site, "RedirectAllRequestsTo", page)
    yield from either(site, "a website", "IndexDocument", "RedirectAllRequestsTo")
    yield from fits(site.at("RedirectAllRequestsTo", "HostName"), _HOST, "name of a host")
    if "/" in site.at("IndexDocument").literal or site.at("IndexDocument").value == "":
        yield site.at("IndexDocument").path, "IndexDocument is a name without slash"
    for rule in site.items("RoutingRules"):
        redirect, condition = rule.at("RedirectRule"), rule.at("RoutingRuleCondition")
        yield from exclude(redirect, "ReplaceKeyWith", "ReplaceKeyPrefixWith")
        yield from fits(condition.at("HttpErrorCodeReturnedEquals"), re.compile(r"[45]\d\d"), "code of an error")
        yield from fits(redirect.at("HttpRedirectCode"), re.compile(r"3\d\d"), "code of a redirect")
        yield from fits(redirect.at("HostName"), _HOST, "name of a host")
        yield from one_of(redirect.at("Protocol"), ("http", "https"), "protocol")
        if redirect.value == {} or condition.value == {}:
            yield rule.path, "an empty redirect or condition"


@refusal("E9413", _BUCKET, f"{_API}/API_CORSRule.html")
def cors(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A cross-origin rule has methods and wildcards that S3 takes.

    GET, PUT, POST, DELETE, HEAD; one * in an origin and in an allowed header, none in an exposed one.
    """
    rules = resource.properties.items("CorsConfiguration", "CorsRules")
    yield from once((rule.at("Id") for rule in rules), "Id")
    if len(rules) > 100:
        yield resource.properties.at("CorsConfiguration").path, "at most 100 rules"
    for rule in rules:
        for method in rule.items("AllowedMethods"):
            yield from one_of(method, ("GET", "PUT", "POST", "DELETE", "HEAD"), "method")
        for key, most in (("AllowedOrigins", 1), ("AllowedHeaders", 1), ("ExposedHeaders", 0)):
            for at in rule.items(key):
                if at.literal.count("*") > most:
                    yield at.path, f"{at.literal!r} has {at.literal.count('*')} wildcards; {key} takes {most}"


@refusal("E9414", _BUCKET, f"{_API}/API_DefaultRetention.html")
def lock(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A lock is enabled with its bucket, and lasts days or years."""
    properties = resource.properties
    config, enabled = properties.at("ObjectLockConfiguration"), properties.at("ObjectLockEnabled")
    if config.there and not enabled.true and enabled.told:
        yield config.path, "ObjectLockConfiguration needs ObjectLockEnabled"
    if (config.there or enabled.true) and properties.at("VersioningConfiguration", "Status").value == "Suspended":
        yield properties.at("VersioningConfiguration").path, "a lock needs versions"
    default = config.at("Rule", "DefaultRetention")
    if isinstance(default.value, dict):
        yield from exclude(default, "Days", "Years")
        if not default.at("Days").there and not default.at("Years").there:
            yield default.path, "DefaultRetention needs Days or Years"
        yield from one_of(default.at("Mode"), ("GOVERNANCE", "COMPLIANCE"), "mode")


@refusal("E9415", _BUCKET, f"{_GUIDE}/ServerLogs.html")
def logs(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A bucket does not log into itself.

    Every log would make another one.
    """
    where = resource.properties.at("LoggingConfiguration", "DestinationBucketName")
    if where.there and where.value in (resource.properties.at("BucketName").value, f"${{{resource.name}}}"):
        yield where.path, "the bucket itself"
    yield from fits(where, _NAME, "bucket name")


EVENTS = re.compile(
    r"s3:(ObjectCreated:(\*|Put|Post|Copy|CompleteMultipartUpload)|ObjectRemoved:(\*|Delete|DeleteMarkerCreated)|ReducedRedundancyLostObject"
    r"|ObjectRestore:(\*|Post|Completed|Delete)|Replication:(\*|Operation(FailedReplication|NotTracked|MissedThreshold|ReplicatedAfterThreshold))"
    r"|LifecycleTransition|IntelligentTiering|ObjectAcl:Put|LifecycleExpiration:(\*|Delete|DeleteMarkerCreated)|ObjectTagging:(\*|Put|Delete)"
    r"|ObjectAnnotation:.+)"
)
_RECEIVERS = (
    ("LambdaConfigurations", "Function", "lambda"),
    ("QueueConfigurations", "Queue", "sqs"),
    ("TopicConfigurations", "Topic", "sns"),
)


@refusal("E9416", _BUCKET, f"{_GUIDE}/notification-how-to-filtering.html")
def events(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Each event of a bucket goes to one receiver of the kind that is named.

    Events that S3 has; two configurations for one event need prefixes or suffixes that do not overlap.
    """
    seen: list[tuple[str, At, At]] = []
    for list_name, key, service in _RECEIVERS:
        for config in resource.properties.items("NotificationConfiguration", list_name):
            event, receiver = config.at("Event"), config.at(key)
            yield from fits(event, EVENTS, "event of a bucket")
            named = [rule.at("Name") for rule in config.items("Filter", "S3Key", "Rules")]
            yield from once(named, "filter")
            for each in named:
                yield from fits(each, re.compile("prefix|suffix", re.IGNORECASE), "filter: prefix or suffix")
            if receiver.literal and not re.match(rf"arn:[a-z-]+:{service}:", receiver.literal):
                yield receiver.path, f"{receiver.literal!r} is no ARN of {service}"
            if receiver.literal.endswith(".fifo"):
                yield receiver.path, "S3 sends nothing to an ordered topic or queue"
            for family, other, _ in seen:
                if event.literal and _overlap(event.literal, family) and _filters_overlap(config, other):
                    yield event.path, f"overlaps with {family}, which goes somewhere already"
            seen.append((event.literal, config, receiver))


def _overlap(one: str, other: str) -> bool:
    stars = [text.removesuffix("*") for text in (one, other)]
    return (
        one == other
        or (one.endswith("*") and other.startswith(stars[0]))
        or (other.endswith("*") and one.startswith(stars[1]) and bool(other))
    )


def _filters_overlap(one: At, other: At) -> bool:
    def of(config: At, name: str) -> str | None:
        rules = config.items("Filter", "S3Key", "Rules")
        if config.at("Filter").there and not all(rule.at("Name").known and rule.at("Value").known for rule in rules):
            return None
        return next((rule.at("Value").literal for rule in rules if rule.at("Name").literal.lower() == name), "")

    heads = (of(one, "prefix"), of(other, "prefix"))
    tails = (of(one, "suffix"), of(other, "suffix"))
    if None in heads or None in tails:
        return False
    head = str(heads[0]).startswith(str(heads[1])) or str(heads[1]).startswith(str(heads[0]))
    return head and (str(tails[0]).endswith(str(tails[1])) or str(tails[1]).endswith(str(tails[0])))


@refusal("E9417", _BUCKET, f"{_API}/API_Tiering.html")
def archives(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An archive of intelligent tiering begins late enough.

    ARCHIVE_ACCESS from 90 days, DEEP_ARCHIVE_ACCESS from 180, to 730.
    """
    for config in resource.properties.items("IntelligentTieringConfigurations"):
        for tier in config.items("Tierings"):
            yield from between(tier.at("Days"), 180 if tier.at("AccessTier").value == "DEEP_ARCHIVE_ACCESS" else 90, 730)


@refusal("E9419", "AWS::S3::BucketPolicy", f"{_GUIDE}/access-control-block-public-access.html")
def public(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A bucket that blocks public policies has none.

    An Allow for everybody without a condition is refused (AccessDenied) where BlockPublicPolicy is true.
    """
    bucket = deployment.meant(resource.properties.at("Bucket"), _BUCKET)
    if bucket is None or not bucket.properties.at("PublicAccessBlockConfiguration", "BlockPublicPolicy").true:
        return
    for statement in resource.properties.items("PolicyDocument", "Statement"):
        everybody = [statement.at("Principal"), *statement.items("Principal", "AWS")]
        if statement.at("Effect").value == "Allow" and not statement.at("Condition").there and any(at.value == "*" for at in everybody):
            yield statement.at("Principal").path, f"everybody, while {bucket.name} blocks public policies (BlockPublicPolicy)"


@refusal("E9420", _BUCKET, f"{_API}/API_InventoryS3BucketDestination.html")
def reports(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A report of a bucket goes to a bucket by its ARN.

    Inventory and analytics.
    """
    inventories = (each.at("Destination") for each in resource.properties.items("InventoryConfigurations"))
    analyses = (
        each.at("StorageClassAnalysis", "DataExport", "Destination") for each in resource.properties.items("AnalyticsConfigurations")
    )
    for destination in (*inventories, *analyses):
        bucket = destination.at("BucketArn")
        made = deployment.meant(bucket, _BUCKET)
        if (bucket.literal and not re.match(r"arn:[a-z-]+:s3:::.", bucket.literal)) or (made and not str(bucket.value).endswith(".Arn}")):
            yield bucket.path, f"{bucket.value!r} is no ARN of a bucket"
