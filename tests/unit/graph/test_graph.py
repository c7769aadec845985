"""The picture of an environment: what is drawn, and that what is drawn is what the templates say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.formats import dot, mermaid
from graph.picture import Arrow, Box, Node, Picture, picture
from graph.svg import svg
from stacks.synthesis import synthesise
from tests.environments_fixture import FOREIGN_ZONE, RECOVERY, changed, environments

ENVS = environments()
MAIN = {
    "dev": {
        ("dns_DNS_record", "leads to", "site_Distribution"),
        ("site_Distribution", "runs", "edge_Function"),
        ("site_Distribution", "reads", "site_Bucket"),
    },
    "prod": {
        ("dns_DNS_record", "leads to", "site_Distribution"),
        ("site_Distribution", "runs", "site_RoutingFunction"),
        ("site_Distribution", "reads", "site_Bucket"),
        ("site_Distribution", "asks", "firewall_WebAcl"),
    },
}


def drawn(name: str, changes: Mapping[str, object] | None = None) -> Picture:
    built = synthesise(changed(ENVS[name], changes or {}))
    return picture(built.assembly, built.templates)


@pytest.mark.parametrize("name", MAIN)
def test_the_way_of_a_request_is_drawn(name: str) -> None:
    found = drawn(name, {"firewall": {} if name == "prod" else None})
    assert {(a.source, a.label, a.target) for a in found.arrows if a.main} == MAIN[name]
    assert found.entry == ("dns_DNS_record",)


def test_the_replica_is_read_and_copied_to() -> None:
    found = {(a.source, a.label, a.target) for a in drawn("dev", RECOVERY).arrows}
    assert {("site_Bucket", "copies to", "replica_Bucket"), ("site_Distribution", "reads", "replica_Bucket")} <= found


def test_a_foreign_zone_has_a_frame_of_its_own() -> None:
    found = drawn("dev", FOREIGN_ZONE)
    assert [box.stack for box in found.places["444444444444", "us-east-1"]] == ["dns"]
    assert 'subgraph a444444444444["account 444444444444"]' in mermaid(found)


def test_every_arrow_has_two_ends_in_every_format() -> None:
    found = drawn("dev", RECOVERY)
    ids = {node.id for box in found.boxes for node in box.nodes}
    assert all({a.source, a.target} <= ids for a in found.arrows)
    assert len(ids) == sum(len(box.nodes) for box in found.boxes)
    for text in (mermaid(found), dot(found)):
        assert all(re.search(rf"^ +{node}[ \\[]", text, re.M) for node in ids)
    assert dot(found).count("{") == dot(found).count("}")


def test_the_svg_needs_no_mouse_and_knows_the_dark() -> None:
    document = svg(drawn("prod"))
    root = ElementTree.fromstring(document)
    told = root.find("{http://www.w3.org/2000/svg}desc")
    assert told is not None and told.text is not None
    assert "CloudFront distribution of site reads bucket" in told.text
    assert "prefers-color-scheme: dark" in document
    assert "<script" not in document and "href" not in document


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_name_cannot_be_markup(name: str) -> None:
    """A name comes from templates, which others may have written."""
    node = Node(id="a", kind="bucket", label=name, stack=name)
    box = Box(stack=name, account="123456789012", region="eu-west-1", nodes=(node,))
    arrow = Arrow(source="a", target="a", label="reads", main=True)
    found = Picture(title=name, domain=name, boxes=(box,), arrows=(arrow,), entry=("a",))
    ElementTree.fromstring(re.sub(r"[\ufffe\uffff]", "", svg(found)))
    assert len(mermaid(found).split("\n")) == len(
        mermaid(Picture(title="", domain="x", boxes=(box,), arrows=(arrow,), entry=("a",))).split("\n")
    )
    assert all(line.count('"') % 2 == 0 for line in [*mermaid(found).split("\n"), *dot(found).split("\n")])


def test_the_same_assembly_gives_the_same_picture() -> None:
    assert mermaid(drawn("prod")) == mermaid(drawn("prod"))
