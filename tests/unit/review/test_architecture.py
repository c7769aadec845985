"""The picture of an environment with a plan in it, alone and in the page."""

from __future__ import annotations

import base64
import re

import msgspec

from changes.model import Replacement, ResourceChange
from graph.formats import dot, mermaid
from graph.picture import picture
from graph.svg import svg
from planning.model import StackPlan
from review import html
from review.architecture import changes, drawn
from stacks.synthesis import synthesise
from tests.environments_fixture import environments
from tests.simulated import SimulatedGateways
from tests.unit.planning.test_plan import plan_of, two

BUILT = synthesise(environments()["dev"])


def plan_with(*found: tuple[str, ResourceChange]):  # type: ignore[no-untyped-def]
    plan = plan_of(two(), SimulatedGateways())
    first = plan.stacks[0]
    assert isinstance(first, StackPlan)
    stacks = tuple(msgspec.structs.replace(first, stack=stack, resources=(change,)) for stack, change in found)
    return msgspec.structs.replace(plan, assembly_digest=BUILT.assembly.digest, stacks=stacks)


PLAN = plan_with(
    ("site", ResourceChange(logical_id="Distribution", resource_type="AWS::CloudFront::Distribution", action="modify")),
    (
        "certificate",
        ResourceChange(
            logical_id="Certificate",
            resource_type="AWS::CertificateManager::Certificate",
            action="modify",
            replacement=Replacement(verdict="yes", by="schema", because=("DomainName",)),
        ),
    ),
    ("monitoring", ResourceChange(logical_id="Old", resource_type="AWS::SNS::Topic", action="remove")),
    ("edge", ResourceChange(logical_id="Role", resource_type="AWS::IAM::Role", action="modify")),
)


def test_what_a_plan_changes_is_marked_in_every_format() -> None:
    found = picture(BUILT.assembly, BUILT.templates, changes(PLAN))
    marked = {node.id: node.mark for box in found.boxes for node in box.nodes if node.mark}
    assert marked["site_Distribution"] == "modify"
    assert marked["certificate_Certificate"] == "replace"
    assert "remove" in marked.values()
    assert {box.stack: box.mark for box in found.boxes}["edge"] == "modify"
    assert 'site_Distribution["CloudFront distribution (changed)"]' in mermaid(found)
    assert "style certificate_Certificate stroke:#cf222e" in mermaid(found)
    assert "CloudFront distribution (changed)" in dot(found)
    image = svg(found)
    assert image.count('class="mark"') == len(marked)
    assert "~ changed; -/+ made anew; - removed" in image
    # Without a plan nothing is marked.
    assert 'class="mark"' not in svg(picture(BUILT.assembly, BUILT.templates))


def test_the_page_holds_the_picture_as_an_image() -> None:
    page = html.render(PLAN, drawn(PLAN, BUILT.assembly, BUILT.templates))
    image = re.search(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', page)
    assert image is not None
    assert base64.b64decode(image[1]).startswith(b"<svg ")
    assert "CloudFront distribution of site" in image[2]
    assert "img-src data:" in page
    assert "<img" not in html.render(PLAN)


def test_a_plan_of_another_build_is_not_drawn() -> None:
    assert drawn(msgspec.structs.replace(PLAN, assembly_digest="0" * 64), BUILT.assembly, BUILT.templates) is None
