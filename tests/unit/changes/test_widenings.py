"""Policies that allow more: a small evaluator is the judge of what may not stay silent."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from changes.model import PropertyChange, Replacement, ResourceChange
from changes.stack_policy import forbidden, sentences
from changes.widenings import widenings
from templates.policies import conditions_cover, covers, overlaps

ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:GetBucket", "iam:PassRole"]
RESOURCES = ["arn:a", "arn:ab", "arn:b"]
PRINCIPALS = ["one", "two"]
VALUES = ["x", "y"]
OPEN = PropertyChange(path="Tags", attribute="Properties")
OPERATORS = ("StringEquals", "StringNotEquals")


def role(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": document, **more}}}


def allow(**more: Any) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:a", "Principal": {"AWS": "one"}, **more}


def matches(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern)


def evaluate(statements: list[dict[str, Any]], request: tuple[str, str, str, str]) -> bool:
    """What IAM would say, for these few operators."""
    principal, action, resource, value = request

    def listed(body: dict[str, Any], key: str) -> list[str]:
        found = body[key]
        return found if isinstance(found, list) else [found]

    def field(body: dict[str, Any], key: str, text: str) -> bool:
        if f"Not{key}" in body:
            return not any(matches(p, text) for p in listed(body, f"Not{key}"))
        return any(matches(p, text) for p in listed(body, key))

    def applies(body: dict[str, Any]) -> bool:
        who = body["Principal"]
        named = ["*"] if who == "*" else listed(who, "AWS")
        condition = True
        for operator, pairs in body.get("Condition", {}).items():
            for wanted in pairs.values():
                inside = value in (wanted if isinstance(wanted, list) else [wanted])
                condition = condition and (inside != ("Not" in operator))
        return (
            any(n in ("*", principal) for n in named) and field(body, "Action", action) and field(body, "Resource", resource) and condition
        )

    effects = {body["Effect"] for body in statements if applies(body)}
    return "Allow" in effects and "Deny" not in effects


def some(items: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=2, unique=True)


@st.composite
def statement(draw: st.DrawFn) -> dict[str, Any]:
    body: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    if draw(st.booleans()):
        body["Sid"] = draw(st.sampled_from(["A", "B"]))
    body[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(some([*ACTIONS, "s3:*", "s3:Get*", "*", "s3:?etObject"]))
    body[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(some([*RESOURCES, "arn:*", "*", "arn:a*", "arn:?"]))
    body["Principal"] = draw(st.one_of(st.just("*"), st.builds(lambda p: {"AWS": p}, some([*PRINCIPALS, "*"]))))
    if draw(st.booleans()):
        operator = draw(st.sampled_from(["StringEquals", "StringNotEquals"]))
        body["Condition"] = {operator: {"aws:Thing": draw(some(VALUES))}}
    return body


REQUESTS = [(p, a, r, v) for p in PRINCIPALS for a in ACTIONS for r in RESOURCES for v in [*VALUES, "z"]]


@settings(max_examples=600, deadline=None)
@given(before=st.lists(statement(), max_size=3), after=st.lists(statement(), max_size=3))
def test_whoever_may_do_more_is_told(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    more = [r for r in REQUESTS if evaluate(after, r) and not evaluate(before, r)]
    if more:
        assert widenings("s", role(*before), role(*after)), more[0]


@settings(max_examples=200, deadline=None)
@given(statements=st.lists(statement(), max_size=4), data=st.data())
def test_the_same_policy_in_another_order_allows_nothing_more(statements: list[dict[str, Any]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(statements))
    assert widenings("s", role(*statements), role(*shuffled)) == ()


@settings(max_examples=200, deadline=None)
@given(statements=st.lists(statement(), max_size=4), data=st.data())
def test_fewer_permissions_are_no_widening(statements: list[dict[str, Any]], data: st.DataObject) -> None:
    kept = [s for s in statements if s["Effect"] == "Deny" or data.draw(st.booleans())]
    assert widenings("s", role(*statements), role(*kept)) == ()


@settings(max_examples=400, deadline=None)
@example(pattern="?", text="*", sample="")
@example(pattern="a?", text="a*", sample="abb")
@given(pattern=st.text("ab*?", max_size=5), text=st.text("ab*?", max_size=5), sample=st.text("ab", max_size=5))
def test_covering_is_sound(pattern: str, text: str, sample: str) -> None:
    if covers(pattern, text) and matches(text, sample):
        assert matches(pattern, sample)
    if matches(pattern, sample) and matches(text, sample):
        assert overlaps(pattern, text)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (allow(), allow(Action=["s3:GetObject", "s3:PutObject"]), "action_added"),
        (allow(), allow(Resource="*"), "resource_added"),
        (allow(), allow(Principal={"AWS": ["one", "two"]}), "principal_added"),
        (allow(Condition={"Bool": {"aws:SecureTransport": "true"}}), allow(), "condition_removed"),
        (
            allow(Condition={"StringEquals": {"aws:SourceArn": "x"}}),
            allow(Condition={"StringEquals": {"aws:SourceArn": ["x", "y"]}}),
            "condition_changed",
        ),
        (
            allow(Condition={"StringNotEquals": {"aws:SourceArn": ["x", "y"]}}),
            allow(Condition={"StringNotEquals": {"aws:SourceArn": "x"}}),
            "condition_changed",
        ),
        (allow(Effect="Deny"), allow(), "effect_allowed"),
        ({**allow(), "Effect": "Deny"}, {**allow(), "Effect": "Deny", "Resource": "arn:b"}, "deny_narrowed"),
        (allow(NotAction="s3:*", Action=None), allow(Action="s3:GetObject"), "action_added"),
    ],
)
def test_each_kind_of_widening(before: dict[str, Any], after: dict[str, Any], kind: str) -> None:
    before = {k: v for k, v in before.items() if v is not None}
    found = widenings("s", role(before), role(after))
    assert kind in {w.kind for w in found}


def test_a_deny_that_goes_with_its_policy_is_told() -> None:
    deny = {"Sid": "TlsOnly", "Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}
    [found] = widenings("s", role(deny), {})
    assert (found.kind, found.statement) == ("deny_removed", "TlsOnly")


def test_boundaries_managed_policies_and_public_access() -> None:
    before = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": "arn:b", "ManagedPolicyArns": ["arn:one"]}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}},
    }
    after = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:one", "arn:aws:iam::aws:policy/AdministratorAccess"]}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
    }
    found = {w.kind: w for w in widenings("s", before, after)}
    assert set(found) == {"boundary_removed", "managed_policy_attached", "public_access_unblocked"}
    assert all(w.grants_everything for w in found.values())
    assert widenings("s", after, before) == ()


@pytest.mark.parametrize(
    ("statement_", "loud"),
    [
        (allow(Action="*"), True),
        (allow(Principal="*"), True),
        (allow(Principal={"AWS": "*"}), True),
        (allow(Action="iam:*", Resource="*"), True),
        (allow(Action="s3:*"), False),
        (allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), False),
        (allow(NotAction="s3:*", Action=None), True),
    ],
)
def test_what_grants_everything_is_shouted(statement_: dict[str, Any], loud: bool) -> None:
    body = {k: v for k, v in statement_.items() if v is not None}
    assert [w.grants_everything for w in widenings("s", {}, role(body))] == [loud]


def test_a_lambda_permission_is_a_policy() -> None:
    def permission(**more: str) -> dict[str, Any]:
        properties = {"Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "s3.amazonaws.com", **more}
        return {"P": {"Type": "AWS::Lambda::Permission", "Properties": properties}}

    assert [w.kind for w in widenings("s", permission(SourceArn="arn:x"), permission())] == ["condition_removed"]
    assert widenings("s", permission(), permission(SourceArn="arn:x")) == ()


# --- stack policies -----------------------------------------------------------------------------------------------


def change(logical_id: str, action: Any = "modify", verdict: Any = "no", kind: str = "AWS::S3::Bucket") -> ResourceChange:
    return ResourceChange(logical_id=logical_id, resource_type=kind, action=action, replacement=Replacement(verdict=verdict))


def stack_policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


ALLOW_ALL = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, ()),
        (stack_policy(ALLOW_ALL), ()),
        (stack_policy(), ("Modified", "Replaced", "Removed")),
        (stack_policy(ALLOW_ALL, {"Effect": "Deny", "Action": "Update:Replace", "Resource": "*"}), ("Replaced",)),
        (stack_policy(ALLOW_ALL, {"Effect": "Deny", "Action": ["Update:Delete"], "Resource": "LogicalResourceId/Rem*"}), ("Removed",)),
        (stack_policy(ALLOW_ALL, {"Effect": "Deny", "NotAction": "Update:Modify", "Resource": "*"}), ("Replaced", "Removed")),
        (
            stack_policy(
                ALLOW_ALL,
                {"Effect": "Deny", "Action": "Update:*", "Resource": "*", "Condition": {"StringLike": {"ResourceType": ["AWS::RDS::*"]}}},
            ),
            (),
        ),
        ("not json", ()),
    ],
)
def test_stack_policies(policy: str | None, expected: tuple[str, ...]) -> None:
    changes = [change("Added", "add"), change("Modified"), change("Replaced", verdict="maybe"), change("Removed", "remove")]
    assert forbidden(policy, changes) == expected


def test_a_policy_forbids_also_what_keeps_its_value_and_is_listed() -> None:
    """CloudFormation lists what refers to something modified; a stack policy has to allow that too, as a modification."""
    kept = PropertyChange(path="Bucket", attribute="Properties", keeps=True)
    listed, changing = (msgspec.structs.replace(change(name), properties=(item,)) for name, item in (("Kept", kept), ("Changing", OPEN)))
    assert (listed.unaffected, changing.unaffected) == (True, False)
    nothing = stack_policy({"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"})
    assert forbidden(nothing, [listed, changing]) == ("Kept", "Changing")
    replacing = {"Effect": "Deny", "Principal": "*", "Action": ["Update:Replace", "Update:Delete"], "Resource": "*"}
    assert forbidden(stack_policy(ALLOW_ALL, replacing), [listed, changing]) == ()


# --- which statement it used to be ----------------------------------------------------------------------------------


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(w.kind, w.statement, w.before, w.after) for w in widenings("s", before, after)]


def nameless(**more: Any) -> dict[str, Any]:
    return {key: value for key, value in allow(**more).items() if key != "Sid"}


def test_a_statement_of_the_same_sid_is_the_one_it_was_however_little_they_share() -> None:
    before = [allow(Sid="Other", Action="s3:PutObject", Resource="arn:b"), allow(Sid="S")]
    [found, *_] = told(role(*before), role(allow(Sid="S", Action="s3:PutObject", Resource="arn:b", Principal={"AWS": "two"})))
    assert (found[0], found[1]) in (("action_added", "S"), ("principal_added", "S"), ("resource_added", "S"))


def test_a_statement_without_a_sid_is_the_one_that_it_shares_most_with() -> None:
    far = nameless(Action="iam:PassRole", Resource="arn:b", Principal={"AWS": "two"})
    near = nameless(Action=["s3:GetObject"], Resource="arn:a")
    grown = nameless(Action=["s3:GetObject", "s3:PutObject"], Resource="arn:a")
    for before in ((far, near), (near, far)):
        assert [kind for kind, *_ in told(role(*before), role(grown))] == ["action_added"]


def test_a_statement_that_shares_too_little_with_any_is_new() -> None:
    before = nameless(Action="s3:GetObject", Resource="arn:a", Principal={"AWS": "one"})
    after = nameless(Action="iam:PassRole", Resource="arn:a", Principal={"AWS": "two"})
    assert [kind for kind, *_ in told(role(before), role(after))] == ["statement_added"]
    closer = nameless(Action="iam:PassRole", Resource="arn:a", Principal={"AWS": "one"})
    assert [kind for kind, *_ in told(role(before), role(closer))] == ["action_added"]


def test_what_is_left_out_and_what_is_named_share_nothing() -> None:
    before = nameless(Resource="arn:a")
    after = {**{k: v for k, v in before.items() if k != "Action"}, "NotAction": "s3:GetObject", "Principal": {"AWS": "two"}}
    assert [kind for kind, *_ in told(role(before), role(after))] == ["statement_added"]


def test_a_resource_of_another_type_is_compared_with_nothing() -> None:
    queue = {"Policy": {**role(allow())["Policy"], "Type": "AWS::SQS::QueuePolicy"}}
    assert [kind for kind, *_ in told(role(allow()), queue)] == ["statement_added"]
    assert told(role(allow()), role(allow())) == []


def test_a_bucket_that_goes_opens_nothing() -> None:
    closed = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": "true"}}}}
    assert told(closed, {}) == []
    opened = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": "false"}}}}
    assert [kind for kind, *_ in told(closed, opened)] == ["public_access_unblocked"]
    assert told(opened, closed) == [] and told({}, opened) == []


def test_a_boundary_that_goes_with_its_role_is_no_widening_and_another_one_is() -> None:
    def bounded(**properties: Any) -> dict[str, Any]:
        return {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}

    assert told(bounded(PermissionsBoundary="arn:b"), {}) == []
    assert told(bounded(PermissionsBoundary="arn:b"), bounded(PermissionsBoundary="arn:c")) == [("boundary_changed", "", "arn:b", "arn:c")]
    assert told(bounded(), bounded(PermissionsBoundary="arn:c")) == []


def test_a_lambda_permission_for_an_account_is_no_pattern_and_one_for_an_arn_is() -> None:
    def permission(**limits: str) -> dict[str, Any]:
        properties = {"Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "s3.amazonaws.com", **limits}
        return {"It": {"Type": "AWS::Lambda::Permission", "Properties": properties}}

    [arn] = told(permission(SourceArn="arn:aws:s3:::bucket"), permission(SourceArn="arn:aws:s3:::*"))
    assert (arn[0], arn[2]) == ("condition_changed", "ArnLike SourceArn arn:aws:s3:::bucket")
    [account] = told(permission(SourceAccount="1"), permission(SourceAccount="2"))
    assert (account[0], account[2]) == ("condition_changed", "StringEquals SourceAccount 1")
    assert told(permission(SourceAccount="1"), permission()) != []
    assert told(permission(), permission(SourceAccount="1")) == []


# --- what a condition implies ---------------------------------------------------------------------------------------


def holds(operator: str, values: set[str], asked: list[str] | None) -> bool:
    """As IAM evaluates it for a request whose key has those values, or none; only a set operator takes several."""
    qualifier, _, name = operator.rpartition(":")
    negated = "Not" in name
    if asked is None:
        return name.endswith("IfExists") or negated or qualifier == "ForAllValues"
    each = [(one not in values) if negated else (one in values) for one in asked]
    return any(each) if qualifier == "ForAnyValue" else all(each)


@settings(max_examples=400, deadline=None)
@given(
    operator=st.sampled_from([f"{q}{o}{i}" for q in ("", "ForAllValues:", "ForAnyValue:") for o in OPERATORS for i in ("", "IfExists")]),
    wider=st.sets(st.sampled_from("abc"), min_size=1),
    narrower=st.sets(st.sampled_from("abc"), min_size=1),
    asked=st.none() | st.lists(st.sampled_from("abcd"), min_size=1, max_size=3),
)
def test_what_a_condition_is_said_to_imply_it_does(operator: str, wider: set[str], narrower: set[str], asked: list[str] | None) -> None:
    asked = asked[:1] if asked and ":" not in operator else asked
    sides = (frozenset({(operator, "aws:TagKeys", frozenset(values))}) for values in (wider, narrower))
    if conditions_cover(*sides) and holds(operator, narrower, asked):
        assert holds(operator, wider, asked)


@pytest.mark.parametrize("operator", ["ForAllValues:StringLike", "ForAnyValue:StringEquals", "StringEqualsIfExists", "StringLike"])
def test_a_list_that_gets_shorter_allows_nothing_more(operator: str) -> None:
    longer, shorter = (role(allow(Condition={operator: {"route53:Names": names}})) for names in (["a", "b"], ["a"]))
    assert told(longer, shorter) == []
    assert [kind for kind, *_ in told(shorter, longer)] == ["condition_changed"]


# --- a stack policy for a reader ------------------------------------------------------------------------------------


def test_a_stack_policy_is_told_by_its_statements_and_as_it_is_where_it_has_none() -> None:
    kept = {"Effect": "Deny", "Principal": "*", "Action": ["Update:Replace", "Update:Delete"], "Resource": "LogicalResourceId/Bucket"}
    anything = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    assert sentences(stack_policy(anything, kept)).split("\n") == [
        "Allow Update:* on * to *",
        "Deny Update:Delete, Update:Replace on LogicalResourceId/Bucket to *",
    ]
    assert [sentences(text) for text in ("", "not json", "{}")] == ["", "not json", "{}"]
