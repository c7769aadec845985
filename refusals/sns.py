"""SNS: topics, subscriptions, topic policies. Sources: Amazon SNS API Reference (CreateTopic, Subscribe) and Developer Guide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from refusals.values import At, Deployment, Problem, Resource, fits, one_of, refusal
from refusals.words import EMAIL, arn_of, listed

_API = "https://docs.aws.amazon.com/sns/latest/api"
_GUIDE = "https://docs.aws.amazon.com/sns/latest/dg"
_TOPIC, _SUBSCRIPTION = "AWS::SNS::Topic", "AWS::SNS::Subscription"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
ENDPOINTS = {
    "email": EMAIL,
    "email-json": EMAIL,
    "http": re.compile(r"http://\S+"),
    "https": re.compile(r"https://\S+"),
    "sqs": arn_of("sqs"),
    "lambda": arn_of("lambda"),
    "application": arn_of("sns"),
    "firehose": arn_of("firehose"),
    "sms": re.compile(r"\+?[0-9][0-9 .-]{1,19}"),
}
"""Protocol -> what its endpoint looks like."""
_OPERATORS = frozenset({"prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "cidr", "wildcard"})
_RAW = ("sqs", "http", "https", "firehose")


@refusal("E9030", _TOPIC, f"{_API}/API_CreateTopic.html")
def topic(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """An ordered topic ends in .fifo, and only that.

    Letters, digits, - and _, 256 at most; deduplication, archive and throughput scope are for ordered topics.
    """
    given = resource.properties
    name, ordered = given.at("TopicName"), given.at("FifoTopic")
    yield from fits(name, _NAME, "name of a topic")
    if name.literal and ordered.true != name.literal.endswith(".fifo") and ordered.told:
        yield name.path, "FifoTopic and a name that ends in .fifo go together"
    for key in ("ContentBasedDeduplication", "ArchivePolicy", "FifoThroughputScope"):
        if given.at(key).there and not ordered.true and ordered.told and given.at(key).value is not False:
            yield given.at(key).path, f"{key} is for ordered topics (FifoTopic)"
    for inline in given.items("Subscription"):
        yield from _endpoint(inline, ordered=ordered.true)
    yield from one_of(given.at("TracingConfig"), ("Active", "PassThrough"), "tracing")
    if given.at("SignatureVersion").known and str(given.at("SignatureVersion").value) not in ("1", "2"):
        yield given.at("SignatureVersion").path, "SignatureVersion is 1 or 2"


@refusal("E9031", _SUBSCRIPTION, f"{_API}/API_Subscribe.html")
def subscription(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A subscription's endpoint is what its protocol reaches.

    Raw delivery for sqs, http(s) and firehose; a role with firehose, and only there; a dead letter queue is a queue; filters hold
    lists.
    """
    given = resource.properties
    made = deployment.meant(given.at("TopicArn"), _TOPIC)
    ordered = bool(made and made.properties.at("FifoTopic").true) or given.at("TopicArn").literal.endswith(".fifo")
    yield from _endpoint(given, ordered=ordered)
    protocol = given.at("Protocol").literal
    if given.at("RawMessageDelivery").true and protocol and protocol not in _RAW:
        yield given.at("RawMessageDelivery").path, f"raw delivery is for {', '.join(_RAW)}"
    if protocol and (protocol == "firehose") != given.at("SubscriptionRoleArn").there:
        yield given.at("SubscriptionRoleArn").path, "SubscriptionRoleArn and protocol firehose go together"
    if given.at("DeliveryPolicy").there and protocol and protocol not in ("http", "https"):
        yield given.at("DeliveryPolicy").path, "DeliveryPolicy is for http and https"
    dead = given.at("RedrivePolicy", "deadLetterTargetArn")
    if isinstance(given.at("RedrivePolicy").value, dict) and not dead.there:
        yield dead.path, "RedrivePolicy needs deadLetterTargetArn"
    if dead.text and not dead.text.startswith("${") and not arn_of("sqs").fullmatch(dead.text):
        yield dead.path, f"{dead.text!r} is no queue"
    scope = given.at("FilterPolicyScope")
    yield from one_of(scope, ("MessageAttributes", "MessageBody"), "scope")
    if scope.value != "MessageBody":
        policy = given.at("FilterPolicy")
        for key in policy.names():
            for at in policy.items(key):
                for operator in set(at.names()) - _OPERATORS if key != "$or" else ():
                    yield (*at.path, operator), f"a filter has {', '.join(sorted(_OPERATORS))}"
            if not isinstance(policy.at(key).value, list) and policy.at(key).known and key != "$or":
                yield policy.at(key).path, "a filter has a list of values for each attribute"
        if len(policy.names()) > 5:
            yield policy.path, "a filter has at most 5 keys"


def _endpoint(given: At, *, ordered: bool) -> Iterator[Problem]:
    protocol, endpoint = given.at("Protocol"), given.at("Endpoint")
    yield from one_of(protocol, ENDPOINTS, "protocol")
    pattern = ENDPOINTS.get(protocol.literal)
    if pattern and not endpoint.there:
        yield endpoint.path, f"protocol {protocol.literal} needs Endpoint"
    if pattern and endpoint.text and not endpoint.text.startswith("${"):
        if not (endpoint.known or protocol.literal in ("sqs", "lambda", "firehose", "application")) or pattern.fullmatch(endpoint.text):
            pass
        else:
            yield endpoint.path, f"{endpoint.text!r} is no endpoint of {protocol.literal}"
    if ordered and protocol.literal and protocol.literal not in ("sqs",):
        yield protocol.path, "an ordered topic delivers to queues"


TOPIC_ACTIONS = frozenset(
    f"sns:{name}".lower()
    for name in listed(
        "AddPermission DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic "
        "ListTagsForResource Publish PutDataProtectionPolicy Receive RemovePermission SetTopicAttributes Subscribe "
        "TagResource UntagResource"
    )
)


@refusal("E9032", "AWS::SNS::TopicPolicy", f"{_GUIDE}/sns-access-policy-language-api-permissions-reference.html")
def topic_policy(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A topic policy allows what can be done with a topic, on its own topics.

    sns:* is out of scope for a topic, so are actions of the account such as sns:ListTopics; SNS refuses both (InvalidParameter).
    """
    given = resource.properties
    topics = given.at("Topics")
    if topics.value == []:
        yield topics.path, "a topic policy names its topics"
    own = [at.text or "" for at in topics.items()]
    for statement in given.items("PolicyDocument", "Statement"):
        for action in statement.items("Action"):
            name = action.literal.lower()
            if name and (name in ("*", "sns:*") or not _matches(name)):
                yield action.path, f"{action.value} is out of scope for a topic; there are {', '.join(sorted(TOPIC_ACTIONS))}"
        for at in statement.items("Resource"):
            other = deployment.meant(at, "AWS::SNS::Topic")
            if other and all(deployment.meant(topic, "AWS::SNS::Topic") not in (None, other) for topic in topics.items()):
                yield at.path, f"{other.name} is none of the policy's topics"
                continue
            named = {at.text or "", f"${{{(at.text or '')[2:-1].partition('.')[0]}}}"}
            fixed = [text for text in own if not text.startswith("${")]
            if at.text and at.value != "*" and not named & set(own) and at.known and (fixed or at.literal.startswith("arn:")):
                names = {text.rpartition(":")[2] for text in fixed}
                made = {
                    deployment.resources[text[2:-1]].properties.at("TopicName").literal
                    for text in own
                    if text[2:-1] in deployment.resources
                }
                if at.literal.rpartition(":")[2] not in names | made and "*" not in at.literal and (made != {""} or not made):
                    yield at.path, f"{at.value} is none of the policy's topics"
                elif made == {""}:
                    yield at.path, f"{at.value} is none of the policy's topics; write the topic's Ref"


def _matches(pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(action, pattern) for action in TOPIC_ACTIONS)
