"""A Terraform state is read: its addresses and identifiers, and never another value of it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adoption.matching import of_state
from adoption.terraform import LARGEST, LONGEST, State, StateError, read, together
from adoption.terraform_types import KINDS
from templates.schemas import bundled
from tests.unit.adoption.stage import STATES, state


def stored(*resources: Any) -> bytes:
    return json.dumps({"version": 4, "terraform_version": "1.9.8", "resources": list(resources)}).encode()


def resource(kind: str, *instances: Any, **more: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": "this", "provider": "", "instances": list(instances), **more}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_a_state_manages_is_read_and_nothing_else_of_it(environment: str) -> None:
    found = state(environment)
    assert not found.problems
    addresses = [each.address for each in found.resources]
    assert "module.s3_website.aws_s3_bucket.website" in addresses
    assert 'module.route53.aws_route53_record.site["AAAA"]' in addresses
    assert not [each for each in addresses if "archive_file" in each], "data sources are nobody's"
    kept = json.dumps([dict(each.attributes) for each in found.resources])
    assert "NOT_TO_BE_SHOWN" in (STATES / f"{environment}.tfstate").read_text(encoding="utf-8")
    assert "NOT_TO_BE_SHOWN" not in kept + repr(found)
    assert "policy_document" not in kept and "Statement" not in kept


def test_every_resource_of_the_fixtures_has_its_identifier() -> None:
    schemas = bundled()
    for environment in ("dev", "prod"):
        for each in of_state(state(environment).resources):
            schema = schemas.of(each.type, "us-east-1")
            assert schema is not None, each.type
            assert set(each.identifier) <= set(schema.identifier), each.source
            assert set(schema.identifier) - set(each.identifier) <= {"SetIdentifier"}, each.source


def test_the_types_of_the_table_are_those_of_cloudformation() -> None:
    schemas = bundled()
    unknown = {kind.type for kind in KINDS.values() if kind.type and schemas.of(kind.type, "us-east-1") is None}
    assert not unknown


def shown(document: dict[str, Any]) -> bytes:
    """The same as `terraform show -json` has it, each module in the one that it stands in."""
    root: dict[str, Any] = {"resources": [], "child_modules": []}
    for body in document["resources"]:
        module = root
        if body.get("module"):
            module = next((each for each in root["child_modules"] if each["address"] == body["module"]), {})
            if not module:
                module = {"address": body["module"], "resources": [], "child_modules": []}
                root["child_modules"].append(module)
        for instance in body["instances"]:
            head = f"{body['module']}." if body.get("module") else ""
            key = instance.get("index_key")
            index = "" if key is None else f"[{json.dumps(key)}]"
            module["resources"].append(
                {
                    "address": f"{head}{body['type']}.{body['name']}{index}",
                    "mode": body["mode"],
                    "type": body["type"],
                    "name": body["name"],
                    "provider_name": "registry.terraform.io/hashicorp/aws",
                    "values": instance["attributes"],
                    "sensitive_values": {},
                }
            )
    return json.dumps({"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module": root}}).encode()


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_terraform_show_says_the_same(environment: str) -> None:
    document = json.loads((STATES / f"{environment}.tfstate").read_bytes())
    told, stored_form = (
        {(each.address, json.dumps(dict(each.attributes))) for each in found.resources}
        for found in (read(shown(document)), state(environment))
    )
    assert told == stored_form


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04tfplan", "a zip archive, as a saved plan is"),
        (b"\xff\xfe{}", "no JSON"),
        (b'{"version": 3, "deployment": {"secrets_providers": "NOT_TO_BE_SHOWN"}}', "a stack of Pulumi"),
        (b"  \n", "empty"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"<html>", "no JSON at line 1"),
        (b"[]", "not a JSON object"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
        (b'{"version": 3, "modules": []}', "of format version 3"),
        (b'{"version": 5, "resources": []}', "of format version 5"),
        (b'{"version": true, "resources": []}', "without a format version"),
        (b'{"resources": []}', "without a format version"),
        (b'{"version": 4}', "no list of resources"),
        (b'{"version": 3, "backend": {"type": "s3", "config": {"bucket": "NOT_TO_BE_SHOWN"}}}', "the pointer to a state"),
        (b'{"encrypted_data": "NOT_TO_BE_SHOWN", "encryption_version": "v0"}', "encrypted"),
        (b'{"format_version": "1.2", "planned_values": {}, "resource_changes": []}', "a plan"),
        (b'{"format_version": "1.2", "planned_values": {}}', "a plan"),
        (b'{"format_version": "1.2", "resource_changes": []}', "a plan"),
        (b'{"format_version": "2.0", "values": {}}', "format_version"),
        (b'{"format_version": "1.0", "values": {"outputs": "NOT_TO_BE_SHOWN"}}', "no root_module"),
        (b" " * (LARGEST + 1), "larger than"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.attack
def test_what_is_no_state_is_one_error_that_repeats_nothing_of_it(data: bytes, words: str) -> None:
    with pytest.raises(StateError) as raised:
        read(data)
    assert words in str(raised.value)
    assert "NOT_TO_BE_SHOWN" not in str(raised.value) and "\n" not in str(raised.value)


def test_a_state_of_nothing_is_empty() -> None:
    assert read(b'{"format_version": "1.0"}') == State(resources=())
    assert read(stored()) == State(resources=())
    assert read(stored().decode().encode("utf-16")) == State(resources=()), "as older PowerShells redirect it"


def test_what_cannot_be_read_of_a_state_is_named_by_its_address() -> None:
    found = read(
        stored(
            resource("aws_s3_bucket", {"attributes": {"bucket": "a"}}, {"index_key": 1, "attributes_flat": {"bucket": "NOT_TO_BE_SHOWN"}}),
            {"mode": "managed", "type": "aws_s3_bucket"},
            "x",
            resource("aws_s3_bucket", "x", name="other"),
        )
    )
    assert [each.address for each in found.resources] == ["aws_s3_bucket.this"]
    assert [problem.partition(":")[0] for problem in found.problems] == [
        "aws_s3_bucket.this[1]",
        "resources[1]",
        "resources[2]",
        "aws_s3_bucket.other",
    ]
    assert "NOT_TO_BE_SHOWN" not in str(found.problems)


def test_providers_accounts_and_regions_are_told_apart() -> None:
    arn = "arn:aws:logs:eu-west-1:111111111111:log-group:x"
    provider = 'module.a.provider["registry.terraform.io/hashicorp/aws"].us_east_1'
    (found,) = read(stored(resource("aws_cloudwatch_log_group", {"attributes": {"name": "x", "arn": arn}}, provider=provider))).resources
    assert (found.provider, found.account_id, found.region) == ("aws.us_east_1", "111111111111", "eu-west-1")
    identity = {"id": "E1", "arn": "arn:aws:iam::cloudfront:user/x", "region": "us-east-1"}
    (found,) = read(stored(resource("aws_cloudfront_origin_access_identity", {"attributes": identity}))).resources
    assert (found.account_id, found.region) == ("", "us-east-1")


def test_deposed_and_tainted_objects_say_so_and_the_deposed_one_is_no_candidate() -> None:
    body = resource(
        "aws_s3_bucket",
        {"attributes": {"bucket": "new"}, "status": "tainted"},
        {"attributes": {"bucket": "old"}, "deposed": "0a1b2c3d"},
    )
    found = read(stored(body))
    assert [each.remark for each in found.resources] == ["tainted", "deposed"]
    assert [dict(each.identifier) for each in of_state(found.resources)] == [{"BucketName": "new"}]


@pytest.mark.attack
@given(st.text(max_size=30))
@settings(max_examples=150, deadline=None)
def test_an_address_is_one_word_for_a_shell_whatever_its_key_is(key: str) -> None:
    found = read(stored(resource("aws_s3_bucket", {"index_key": key, "attributes": {"bucket": "b"}})))
    for each in found.resources:
        assert shlex.split(f"terraform state rm {shlex.quote(each.address)}") == ["terraform", "state", "rm", each.address]
        assert each.address.isprintable()
        if key.isprintable() and '"' not in key and "\\" not in key and "{" not in key:
            assert each.address == f'aws_s3_bucket.this["{key}"]'
    assert len(found.resources) + len(found.problems) == 1


@pytest.mark.parametrize(
    ("key", "index"),
    [(0, "[0]"), ("www", '["www"]'), ('a"b\\c', '["a\\"b\\\\c"]'), ("a${b}%{c}", '["a$${b}%%{c}"]'), (None, ""), (True, ""), (1.5, "")],
)
def test_an_index_is_written_as_hcl_does(key: Any, index: str) -> None:
    (found,) = read(stored(resource("aws_s3_bucket", {"index_key": key, "attributes": {"bucket": "b"}}))).resources
    assert found.address == f"aws_s3_bucket.this{index}"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just("x" * (LONGEST + 1)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["bucket", "id", "arn", "attributes", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["managed", "data"]) | values,
        "module": values,
        "type": st.sampled_from([*KINDS, "aws_other"]) | values,
        "name": values,
        "provider": values,
        "instances": st.lists(
            st.fixed_dictionaries({}, optional={"attributes": values, "index_key": values, "deposed": values}), max_size=2
        )
        | values,
        "address": values,
        "values": values,
    },
)


@given(st.lists(bodies | values, max_size=4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_a_state_has_it_is_read_or_refused(resources: list[Any], stored_form: bool) -> None:
    document = (
        {"version": 4, "resources": resources}
        if stored_form
        else {"format_version": "1.0", "values": {"root_module": {"resources": resources, "child_modules": resources}}}
    )
    try:
        found = read(json.dumps(document).encode())
    except StateError:
        return
    for each in (*found.resources, *of_state(found.resources)):
        assert "x" * (LONGEST + 1) not in repr(each)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except StateError as error:
        assert "\n" not in str(error)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("module", "-state=/etc/passwd module"),
        ("module", "module.x'; rm -rf ~; '"),
        ("module", "-chdir=/tmp"),
        ("name", "web --all"),
        ("name", "$(reboot)"),
        ("name", "web\u001b[2J"),
        ("type", "-aws_s3_bucket"),
    ],
)
def test_an_address_is_one_that_terraform_writes_or_none(part: str, text: str) -> None:
    """`terraform state rm` would take a word that begins with a hyphen for an option."""
    body = resource("aws_s3_bucket", {"attributes": {"bucket": "site"}}, **{part: text})
    found = read(stored(body))
    assert (found.resources, len(found.problems)) == ((), 1)
    document = json.loads(stored({**resource("aws_s3_bucket", {"attributes": {"bucket": "site"}}), part: text}))
    found = read(shown(document))
    assert not found.resources or part == "type", "there the address says it"


@pytest.mark.parametrize("key", ["www", 'a"b', "a\\b", "a]b", "${x}", "kimmyai.io", "ü", 7])
def test_any_key_of_an_instance_is_part_of_an_address(key: str | int) -> None:
    body = resource("aws_s3_bucket", {"attributes": {"bucket": "site"}, "index_key": key}, module='module.a["x.y"].module.b[0]')
    (found,) = read(stored(body)).resources
    assert found.address.startswith('module.a["x.y"].module.b[0].aws_s3_bucket.this[')


def test_several_states_are_one_and_each_object_says_which_one_has_it() -> None:
    site = read(stored(resource("aws_s3_bucket", {"attributes": {"bucket": "a"}}), "x"))
    other = read(stored(resource("aws_s3_bucket", {"attributes": {"bucket": "b"}})))
    both = together({"site.tfstate": site, "edge.tfstate": other})
    assert [each.told for each in both.resources] == [
        "terraform aws_s3_bucket.this of site.tfstate",
        "terraform aws_s3_bucket.this of edge.tfstate",
    ]
    assert both.problems == ("site.tfstate: resources[1]: no resource",)
    assert both.files == ("site.tfstate", "edge.tfstate")
    (only,) = together({"site.tfstate": site}).resources
    assert only.told == "terraform aws_s3_bucket.this"


def test_what_the_provider_over_cloud_control_made_is_known_by_its_id() -> None:
    bodies = [
        resource("awscc_cloudfront_distribution", {"attributes": {"id": "E1ABC", "distribution_config": {"comment": "NOT_TO_BE_SHOWN"}}})
    ]
    found = read(stored(*bodies))
    assert [(each.type, dict(each.identifier)) for each in of_state(found.resources)] == [
        ("AWS::CloudFront::Distribution", {"Id": "E1ABC"})
    ]
    assert "NOT_TO_BE_SHOWN" not in repr(found)


# As terraform-aws-modules write them: counts and keys with spaces, modules in modules, provider 6 with regions of its own.
OF_MODULES = (
    ("module.site[0].module.bucket", "aws_s3_bucket", 0, {"bucket": "b", "region": "eu-west-1"}, "[0]"),
    ('module.cdn["www"]', "aws_cloudfront_distribution", 0, {"id": "E1", "aliases": ["www.example.org"]}, "[0]"),
    ("module.records", "aws_route53_record", "www A", {"fqdn": "www.example.org", "zone_id": "Z1", "type": "A"}, '["www A"]'),
    ("module.cdn", "aws_cloudfront_origin_access_control", "s3_oac", {"id": "E2", "name": "s3_oac"}, '["s3_oac"]'),
)


@pytest.mark.parametrize(("module", "kind", "index", "attributes", "end"), OF_MODULES)
def test_addresses_of_public_modules_are_read(module: str, kind: str, index: Any, attributes: Any, end: str) -> None:
    body = resource(kind, {"index_key": index, "attributes": attributes, "sensitive_attributes": [], "private": "x"}, module=module)
    found = read(stored(body))
    assert [each.address for each in found.resources] == [f"{module}.{kind}.this{end}"] and not found.problems
    assert len(of_state(found.resources)) == 1


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (["a", "b"], ("a", "b")),
        (["a", "b\n"], None),
        (["a", ""], None),
        (["a", 1], None),
        (["a", "x" * (LONGEST + 1)], None),
        ([], None),
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * (LONGEST + 1), None),
        ("a\x1b[0m", None),
        ("", None),
        (7, None),
        ({"a": "b"}, None),
    ],
)
def test_of_an_attribute_texts_of_one_line_are_kept_and_nothing_else(value: Any, kept: Any) -> None:
    [found] = read(stored(resource("aws_cloudfront_distribution", {"attributes": {"id": "E1", "aliases": value}}))).resources
    assert found.attributes.get("aliases") == kept and found.attributes["id"] == "E1"
