"""Both sides of every length, of what a secret looks like, and which metric there is: the pure parts of the rules, without a whole site."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from lint.rules.authorization import _fits
from lint.rules.monitoring import METRICS, metric_problem
from lint.rules.secrets import DynamicReferenceInCode, SecretDefault, SecretLiteral, SecretParameter, looks_secret
from lint.rules.sizes import PolicySize, TemplateSize, TextSize, filled, policy_size
from refusals import lengths
from templates.view import View


def view(kind: str = "", properties: Any = None, *, regions: tuple[str, ...] = ("us-east-1",), **sections: Any) -> View:
    resources = {"R": {"Type": kind, "Properties": properties}} if kind else {}
    return View({"Resources": resources, **sections}, regions)


def paths(rule: Any, of: View) -> list[str]:
    return [".".join(map(str, path)) for path, _ in rule().check(of)]


# --- lengths ------------------------------------------------------------------------------------------------------

TEXTS = [(kind, steps, limit) for kind, texts in lengths.TEXTS.items() for steps, limit, _ in texts]


def nested(steps: tuple[Any, ...], text: Any) -> Any:
    for step in reversed(steps):
        text = [text] if step == lengths.ITEM else {step: text}
    return text


@pytest.mark.parametrize(("kind", "steps", "limit"), TEXTS)
def test_a_text_has_the_length_that_its_service_takes(kind: str, steps: tuple[Any, ...], limit: int) -> None:
    where = ".".join(["Resources.R.Properties", *("0" if step == lengths.ITEM else step for step in steps)])
    assert paths(TextSize, view(kind, nested(steps, "x" * limit))) == []
    assert paths(TextSize, view(kind, nested(steps, "x" * (limit + 1)))) == [where]
    assert paths(TextSize, view(kind, nested(steps, {"Fn::Sub": "${AWS::Region}" + "x" * (limit - 9)}))) == []
    assert paths(TextSize, view(kind, nested(steps, {"Fn::Sub": "${AWS::Region}" + "x" * (limit - 8)}))) == [where]


@pytest.mark.parametrize("key", ["Tags", "HealthCheckTags"])
def test_a_tag_has_the_length_that_aws_takes(key: str) -> None:
    assert paths(TextSize, view("X::Y::Z", {key: [{"Key": "k" * 128, "Value": "v" * 256}]})) == []
    found = paths(TextSize, view("X::Y::Z", {key: [{"Key": "k" * 129, "Value": "v" * 257}]}))
    assert found == [f"Resources.R.Properties.{key}.0.Key", f"Resources.R.Properties.{key}.0.Value"]


def document(characters: int) -> dict[str, Any]:
    empty = {"Statement": [{"Sid": ""}]}
    return {"Statement": [{"Sid": "x" * (characters - policy_size(view(), empty))}]}


@pytest.mark.parametrize(
    ("kind", "key", "limit"),
    [
        ("AWS::IAM::ManagedPolicy", "PolicyDocument", 6144),
        ("AWS::IAM::Role", "AssumeRolePolicyDocument", 2048),
        ("AWS::S3::BucketPolicy", "PolicyDocument", 20 * 1024),
        ("AWS::SNS::TopicPolicy", "PolicyDocument", 30 * 1024),
        ("AWS::KMS::Key", "KeyPolicy", 32 * 1024),
    ],
)
def test_a_policy_has_the_length_that_its_service_takes(kind: str, key: str, limit: int) -> None:
    assert paths(PolicySize, view(kind, {key: document(limit)})) == []
    assert paths(PolicySize, view(kind, {key: document(limit + 1)})) == [f"Resources.R.Properties.{key}"]


@pytest.mark.parametrize(("kind", "limit"), lengths.INLINE_POLICIES.items())
def test_inline_policies_count_together(kind: str, limit: int) -> None:
    def of(characters: int) -> dict[str, Any]:
        return {"Policies": [{"PolicyDocument": document(100)}, {"PolicyDocument": document(characters - 100)}, {"Ref": "AWS::NoValue"}]}

    assert paths(PolicySize, view(kind, {"Policies": of(limit)["Policies"][:2]})) == []
    assert paths(PolicySize, view(kind, {"Policies": of(limit + 1)["Policies"][:2]})) == ["Resources.R.Properties.Policies"]
    assert paths(PolicySize, view(kind, of(limit))) == paths(PolicySize, view(kind, {"Policies": ["x", {"Ref": "P"}]})) == []
    one, other = ({"PolicyDocument": document(limit - short)} for short in (0, 1))
    assert paths(PolicySize, view(kind, {"Policies": [{"Fn::If": ["C", one, other]}]})) == [], "one of them"
    assert paths(PolicySize, view(kind, {"ManagedPolicyArns": [{"Fn::If": ["C", "a", {"Ref": "AWS::NoValue"}]}, *"bcdefghij"]})) == []
    assert paths(PolicySize, view(kind, {"ManagedPolicyArns": {"Ref": "P"}})) == []
    attached = {"ManagedPolicyArns": [f"arn:aws:iam::aws:policy/{n}" for n in range(10)]}
    assert paths(PolicySize, view(kind, attached)) == []
    attached["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/x")
    assert paths(PolicySize, view(kind, attached)) == ["Resources.R.Properties.ManagedPolicyArns"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("${AWS::AccountId}-${AWS::Region}-${Other}-${!kept}", "123456789012-eu-central-1-?-${!kept}"),
        ("${AWS::Partition}.${AWS::URLSuffix}", "aws.amazonaws.com"),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Fn::If": ["C", "short", "longer"]}, "longer"),
        ({"Fn::If": ["C", "a", {"Ref": "AWS::NoValue"}]}, "a"),
        ([{"Fn::If": ["C", ["a"], []]}, 1, True, {"Ref": "AWS::NoValue"}], [["a"], 1, True]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": {"Fn::If": ["C", {"c": "d"}, "e"]}}, {"b": {"c": "d"}}),
        ({"Fn::ImportValue": "x"}, "?"),
        ({"Ref": "x", "y": 1}, {"Ref": "x", "y": 1}),
        ({"x": 1, "y": None}, {"x": 1}),
        ({"Fn::FindInMap": ["Endless", "a", "b"]}, ["?"]),
        ({"Fn::GetAtt": ["R", "Arn"]}, "arn:aws:?:123456789012:?"),
        ({"Fn::ImportValue": "x", "y": 1}, {"Fn::ImportValue": "x", "y": 1}),
        ({"a": {"Ref": "AWS::Region"}}, {"a": "eu-central-1"}),
    ],
)
def test_what_is_known_is_filled_in_before_it_is_counted(value: Any, wanted: Any) -> None:
    endless = {"Endless": {"a": {"b": [{"Fn::FindInMap": ["Endless", "a", "b"]}]}}}
    of = View({"Resources": {"R": {"Type": "AWS::SNS::Topic"}}, "Conditions": {"C": {}}, "Mappings": endless}, ("eu-central-1",))
    found = filled(of, value, unknown="?")
    while isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        [found] = found
    assert found == wanted


def test_a_policy_is_counted_in_characters() -> None:
    assert policy_size(view(), {"Sid": "ü"}) == policy_size(view(), {"Sid": "u"}) == len('{"Sid":"u"}')


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-east-1", "aws")])
def test_a_partition_follows_from_the_region(region: str, partition: str) -> None:
    assert filled(view(regions=(region,)), "${AWS::Partition}", unknown="") == partition
    assert filled(view(regions=("a", region)), "${AWS::Region}", unknown="") == region, "the longest of them"


@pytest.mark.parametrize(("section", "most"), lengths.SECTIONS.items())
def test_a_template_has_as_many_of_each_as_cloudformation_takes(section: str, most: int) -> None:
    def of(count: int) -> View:
        return View({"Resources": {}, section: {f"N{n}": {"Type": "X::Y::Z", "Value": "v"} for n in range(count)}}, ("us-east-1",))

    assert paths(TemplateSize, of(most)) == []
    assert paths(TemplateSize, of(most + 1)) == [section]


def test_a_template_and_its_exports_are_not_too_long() -> None:
    def exported(*names: str) -> View:
        return view(Outputs={f"O{n}": {"Value": "v", "Export": {"Name": name}} for n, name in enumerate(names)})

    assert paths(TemplateSize, exported("a" * 255, "b")) == []
    assert paths(TemplateSize, exported("a" * 256)) == ["Outputs.O0.Export.Name"]
    assert paths(TemplateSize, exported("a", "b", "a")) == ["Outputs.O2.Export.Name"]
    unknown: Any = {"Fn::ImportValue": "x"}
    assert paths(TemplateSize, exported(unknown, unknown)) == []
    assert paths(TemplateSize, exported({"Fn::If": ["C", "a", "a"]})) == []  # type: ignore[arg-type]
    around = len('{"Resources":{},"Description":""}')
    assert paths(TemplateSize, view(Description="x" * (1_000_000 - around))) == []
    assert paths(TemplateSize, view(Description="x" * (1_000_001 - around))) == ["Description"]


@pytest.mark.parametrize(
    ("one", "other", "twice"), [(None, None, True), ("C", None, True), (None, "C", True), ("C", "C", True), ("C", "D", False)]
)
def test_a_name_is_exported_by_one_of_the_outputs_that_can_be_made_together(one: str | None, other: str | None, twice: bool) -> None:
    outputs = {
        name: {"Value": "v", "Export": {"Name": "a"}, **({"Condition": condition} if condition else {})}
        for name, condition in (("O", one), ("P", other))
    }
    assert paths(TemplateSize, view(Outputs=outputs)) == (["Outputs.P.Export.Name"] if twice else [])


# --- secrets ------------------------------------------------------------------------------------------------------


def joined(*parts: str) -> str:
    """Put together here, so that no scanner takes this file for a leak."""
    return "".join(parts)


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SECRETS = {
    "access key id": joined("AKIA", "QWERTYUIOPASDFGH"),
    "temporary access key id": joined("x ASIA", "QWERTYUIOPASDFGH y"),
    "private key": joined("-----BEGIN RSA ", "PRIVATE KEY-----"),
    "secret access key": joined("abcdefghij", "ABCDEFGHIJ", "0123456789", "abcdefghij"),
    "assigned": joined("password", "=", "abcdef"),
    "in a URL": joined("https://user", ":", "word@example.com"),
    "Basic credentials": f"Basic {basic('admin:password')}",
}
NOT_SECRET = {
    "a key id in small letters": joined("akia", "QWERTYUIOPASDFGH"),
    "one letter less": joined("AKIA", "QWERTYUIOPASDFG"),
    "40 small letters": "a" * 40,
    "a commit": "0123456789abcdef0123456789abcdef01234567",
    "41 letters": joined("abcdefghij", "ABCDEFGHIJ", "0123456789", "abcdefghijk"),
    "too short": "password=abcde",
    "a variable": "password=${Password}",
    "a URL without a password": "https://user@example.com/a:b",
    "Basic without a colon": f"Basic {basic('administrator')}",
    "Basic and words": "Basic authentication",
}


@pytest.mark.parametrize("case", SECRETS)
def test_what_looks_like_a_secret(case: str) -> None:
    assert looks_secret(SECRETS[case], code=False) is not None


@pytest.mark.parametrize("case", NOT_SECRET)
def test_what_does_not(case: str) -> None:
    assert looks_secret(NOT_SECRET[case], code=False) is None


@pytest.mark.parametrize(
    ("code", "secret"),
    [
        (joined("const password = ", '"hunter2!";'), True),
        (joined("dbPassword: ", "'hunter2!'"), True),
        (joined('const password = "', 'correct-horse";'), False),
        (joined("const password = ", "'${Password}1';"), False),
        (joined("const password = ", "'__PASSWORD1__';"), False),
        (joined("const password = ", "'<password1>';"), False),
        (joined("const password = ", "'ab1';"), False),
        (joined("password", "=", "abcdef1"), False),
        (joined("const key = '", "abcdefghij", "ABCDEFGHIJ", "0123456789", "abcdefghij'"), False),
    ],
)
def test_in_code_quoted_values_count_that_are_no_words(code: str, secret: bool) -> None:
    assert (looks_secret(code, code=True) is not None) is secret


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"Password": "abc"}, True),
        ({"MasterUserPassword": "abc"}, True),
        ({"Password": ""}, False),
        ({"Password": "{{resolve:secretsmanager:x}}"}, False),
        ({"Password": "true"}, False),
        ({"Password": "arn:aws:x"}, False),
        ({"PasswordPolicy": "abc"}, False),
        ({"Environment": {"Variables": {"DB_PASSWORD": "abc"}}}, True),
        ({"Environment": {"Variables": {"PASSWORD_LENGTH": "12"}}}, False),
        ({"Environment": {"DB_TOKEN": "abc"}}, False),
    ],
)
def test_a_secret_by_its_name(properties: dict[str, Any], found: bool) -> None:
    assert bool(paths(SecretLiteral, view("X::Y::Z", properties))) is found
    assert paths(SecretLiteral, View({"Metadata": properties}, ())) == []
    assert paths(SecretLiteral, View({"Resources": {"R": {"Type": "X", "Metadata": properties}}}, ())) == []


KEY_ID, LOGICAL_ID = SECRETS["access key id"], joined("Abcdefghij", "ABCDEFGHIJ", "0123456789", "abcdefghij")


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        ({"Properties": {"A": {"Ref": LOGICAL_ID}, "B": {"Fn::GetAtt": [LOGICAL_ID, "Arn"]}}, "DependsOn": [LOGICAL_ID]}, []),
        ({"Properties": {"A": [{"B": LOGICAL_ID}]}}, ["Resources.R.Properties.A.0.B"]),
        ({"Properties": {"A": {"Ref": "X"}, "B": KEY_ID, "C": {"Ref": "X"}}}, ["Resources.R.Properties.B"]),
        ({"Properties": {"Condition": {"StringEquals": {"aws:x": KEY_ID}}}}, ["Resources.R.Properties.Condition.StringEquals.aws:x"]),
        ({"Properties": {"Password": ["abc"]}}, ["Resources.R.Properties.Password.0"]),
        ({"Properties": {"Metadata": {"Password": "abc"}}}, ["Resources.R.Properties.Metadata.Password"]),
        ({"Metadata": {"Password": "abc", "A": KEY_ID}}, ["Resources.R.Metadata.A"]),
        ({"Properties": {"A": "password = hunter2"}}, ["Resources.R.Properties.A"]),
        ({"Properties": {"ZipFile": "password = hunter2"}}, []),
        ({"Properties": {"ZipFile": "password = 'hunter2'"}}, ["Resources.R.Properties.ZipFile"]),
        ({"Properties": {"A": "if it is so:\npassword = hunter2"}}, []),
        ({"Properties": {"FunctionCode": {"Fn::Sub": "password = hunter2"}}}, []),
    ],
)
def test_a_secret_is_told_where_it_stands_and_a_name_is_none(resource: dict[str, Any], wanted: list[str]) -> None:
    of = View({"Resources": {"R": {"Type": "X::Y::Z", **resource}}}, ())
    assert [path.removesuffix(".Password.0") for path in paths(SecretLiteral, of)] == [path.removesuffix(".Password.0") for path in wanted]


def test_the_name_of_a_resource_is_no_place_for_an_exception() -> None:
    of = View({"Resources": {"Metadata": {"Type": "X::Y::Z", "Properties": {"Password": "abc"}}}}, ())
    assert paths(SecretLiteral, of) == ["Resources.Metadata.Properties.Password"]


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("ZipFile", "x = '{{resolve:secretsmanager:a}}'", True),
        ("FunctionCode", "{{resolve:ssm-secure:a:1}}", True),
        ("FunctionCode", "{{resolve:ssm:a}}", True),
        ("FunctionCode", "{{resolve:other:a}}", False),
        ("SecretString", "{{resolve:secretsmanager:a}}", False),
    ],
)
def test_code_has_no_reference_that_is_resolved(key: str, text: str, found: bool) -> None:
    assert paths(DynamicReferenceInCode, view("X::Y::Z", {"A": {key: text}})) == ([f"Resources.R.Properties.A.{key}"] if found else [])


@pytest.mark.parametrize(
    ("name", "more", "refused"),
    [
        ("AdminPassword", {}, True),
        ("AdminPassword", {"NoEcho": True}, False),
        ("AdminPassword", {"NoEcho": "true"}, False),
        ("AdminPassword", {"NoEcho": False}, True),
        ("AdminPassword", {"Type": "Number"}, False),
        ("PasswordArn", {}, False),
        ("User", {}, False),
    ],
)
def test_a_parameter_that_takes_a_secret_is_not_shown(name: str, more: dict[str, Any], refused: bool) -> None:
    others = {"Password": "String", "User": {"Type": "String"}}
    found = paths(SecretParameter, view(Parameters={**others, name: {"Type": "String", **more}}))
    assert found == ([f"Parameters.{name}"] if refused else [])
    assert paths(SecretParameter, view(Parameters={name: "String"})) == []


def test_a_parameter_that_is_not_shown_has_no_default() -> None:
    def of(**more: Any) -> list[str]:
        return paths(SecretDefault, view(Parameters={"P": {"Type": "String", **more}}))

    assert paths(SecretDefault, view(Parameters={"P": "NoEcho"})) == []
    assert of(NoEcho=True, Default="a") == ["Parameters.P.Default"]
    assert of(NoEcho=True, AllowedValues=["a"]) == ["Parameters.P.AllowedValues"]
    assert of(NoEcho=True, Default="") == of(NoEcho=False, Default="a") == of(Default="a") == of(NoEcho=True) == []


# --- metrics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", METRICS)
def test_every_metric_that_is_published_is_known_with_just_its_dimensions(namespace: str) -> None:
    for group in METRICS[namespace]:
        right = {name: "Global" if name == "Region" else "x" for name in group.dimensions}
        for name in group.names:
            assert metric_problem(namespace, name, right) is None
            assert metric_problem(namespace, f"{name}s", right) is not None
            assert metric_problem(namespace, name, {**right, "Other": "x"}) is not None
            assert metric_problem(namespace, name, {}) is not None


def test_a_namespace_and_a_region_that_nobody_publishes_in() -> None:
    assert metric_problem("AWS/Nothing", "Requests", {}) is not None
    assert "comes with the dimensions Currency; or Currency and ServiceName, not none" in str(
        metric_problem("AWS/Billing", "EstimatedCharges", {})
    )
    requests = {"DistributionId": "x", "Region": "us-east-1"}
    assert "AWS/S3 has no metric 'Requests'; it has BucketSizeBytes, " in str(metric_problem("AWS/S3", "Requests", {}))
    assert str(metric_problem("AWS/CloudFront", "Requests", {"B": "", "A": ""})).endswith("DistributionId and Region, not A, B")
    assert "always Global, not 'us-east-1'" in str(metric_problem("AWS/CloudFront", "Requests", requests))
    assert metric_problem("AWS/CloudFront", "Requests", {**requests, "Region": {"Ref": "P"}}) is None


# --- ARNs ---------------------------------------------------------------------------------------------------------

GROUPS, OBJECTS = "arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "arn:${Partition}:s3:::.*/.*"


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        (GROUPS, "arn:aws:logs:eu-west-1:123456789012:log-group:/site", True),
        (GROUPS, "arn:aws:logs:*:*:log-group:*", True),
        (GROUPS, "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Name}", True),
        (GROUPS, "arn:aws:logs:*:*:log*", True),
        (GROUPS, "arn:aws:logs:*:*:*", True),
        (GROUPS, "arn:aws:logs:*:*:destination:x", False),
        (GROUPS, "arn:aws:sns:*:*:log-group:x", False),
        (GROUPS, "arn:aws:l*:*:*:log-group:x", True),
        (GROUPS, "arn:aws:logs::123456789012:log-group:x", False),
        (GROUPS, "arn:aws:logs:eu-west-1::log-group:x", False),
        (GROUPS, "*", True),
        (GROUPS, "**", True),
        (GROUPS, "log-group", False),
        (OBJECTS, "arn:aws:s3:::bucket/key", True),
        (OBJECTS, "arn:aws:s3:*:*:bucket/key", True),
        (OBJECTS, "arn:aws:s3:${AWS::Region}::bucket/key", False),
        (OBJECTS, "arn:aws:s3:eu-*::bucket/key", False),
        (OBJECTS, "arn:aws:s3:eu-west-1::bucket/key", False),
        (OBJECTS, "arn:aws:s3::123456789012:bucket/key", False),
        ("arn:${Partition}:iam::${Account}:role/.*", "arn:aws:iam::123456789012:role/a", True),
        ("arn:${Partition}:iam::${Account}:role/.*", "arn:aws:iam::123456789012:user/a", False),
        ("arn:${Partition}:iam::aws:policy/.*", "arn:aws:iam::aws:policy/a", True),
        ("arn:${Partition}:iam::aws:policy/.*", "arn:aws:iam::${Owner}:policy/a", True),
        ("arn:${Partition}:iam::aws:policy/.*", "arn:aws:iam::123456789012:policy/a", False),
    ],
)
def test_whether_an_element_can_stand_for_an_arn_of_the_format(pattern: str, resource: str, fits: bool) -> None:
    assert _fits(pattern, resource) is fits
