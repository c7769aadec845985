"""The review in its four forms: golden texts of one plan that has everything, and what no form may ever do."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.model import OperationPreferences
from changes.model import PropertyChange, Replacement, ResourceChange, Widening
from guards.stream import filtered
from planning.model import (
    ABSENT,
    ChangeSetRef,
    Finding,
    InstancePlan,
    Options,
    OutputChange,
    ParameterPlan,
    Plan,
    SettingChange,
    StackPlan,
    StackSetPlan,
    StackState,
    TakenOver,
    sealed,
)
from review import as_json, graph, html, markdown, summary, takeover_view, terminal
from templates.values import Known, Redacted, Unknown, Value
from tests.golden_files import ROOT, assert_golden
from website.content_plan import ContentPlan, FileChange
from website.content_plan import sealed as content_sealed

LIVE = StackState(exists=True, stack_arn="arn:stack", status="UPDATE_COMPLETE", changed_at="2026-11-01T00:00:00Z", template_sha256="0" * 64)


def stack(name: str, operation: Any, **more: Any) -> StackPlan:
    return StackPlan(
        stack=name,
        stack_name=f"demo-dev-{name}",
        account_id="123456789012",
        region=more.pop("region", "eu-west-1"),
        role_arn=None,
        operation=operation,
        depends_on=more.pop("depends_on", ()),
        state=more.pop("state", LIVE),
        template_sha256="1" * 64,
        **more,
    )


def plan_of(*stacks: Any, **more: Any) -> Plan:
    return sealed(
        Plan(
            environment="dev",
            project="demo",
            account_id="123456789012",
            protected=more.pop("protected", False),
            assembly_digest="a" * 64,
            created_at="2026-11-22T10:00:00Z",
            created_by="arn:aws:iam::123456789012:user/somebody",
            options=more.pop("options", Options()),
            stacks=stacks,
            **more,
        )
    )


def known(text: str) -> Known:
    return Known(text=text)


AFTER = Unknown(text="{known after certificate.CertificateArn}", after=("certificate.CertificateArn",))
LONG = json.dumps({"Rules": [{"Id": f"rule-{i}", "Prefix": "assets/", "Days": i} for i in range(8)]})

EVERYTHING = plan_of(
    stack(
        "certificate",
        "update",
        region="us-east-1",
        change_set=ChangeSetRef(
            name="plan-dev-aaaaaaaa-1",
            arn="arn:change-set",
            stack_arn="arn:stack",
            type="UPDATE",
            client_token="t-1",
            created_at="2026-11-22T10:00:00Z",
            made_stack=False,
        ),
        parameters=(ParameterPlan(name="Domain", source="literal", before=known("a.example"), after=known("b.example"), changed=True),),
        resources=(
            ResourceChange(
                logical_id="Certificate",
                resource_type="AWS::CertificateManager::Certificate",
                action="modify",
                physical_id="arn:aws:acm:us-east-1:123456789012:certificate/1",
                replacement=Replacement(verdict="yes", by="schema", because=("DomainName",)),
                policy_action="ReplaceAndDelete",
                properties=(
                    PropertyChange(
                        path="DomainName",
                        before=known("a.example"),
                        after=known("b.example"),
                        recreation="always",
                        because_of=("parameter Domain",),
                    ),
                ),
            ),
        ),
        outputs=(OutputChange(name="CertificateArn", change="maybe", before=known("arn:old"), after=known("${Certificate}")),),
    ),
    StackSetPlan(
        stack="edge-logs",
        stack_name="demo-dev-edge-logs",
        account_id="123456789012",
        region="us-east-1",
        role_arn=None,
        operation="update",
        depends_on=(),
        exists=True,
        stack_set_id="demo-dev-edge-logs:1",
        template_sha256="2" * 64,
        deployed_template_sha256="3" * 64,
        preferences=OperationPreferences(),
        resources=(
            ResourceChange(
                logical_id="Logs",
                resource_type="AWS::Logs::LogGroup",
                action="modify",
                replacement=Replacement(verdict="no", by="schema"),
                properties=(PropertyChange(path="RetentionInDays", before=known("7"), after=known("30"), values_from="template"),),
            ),
        ),
        settings_changed=("tags",),
        instances=(
            InstancePlan(account_id="123456789012", region="eu-west-1", action="update", status="OUTDATED", reason="it is OUTDATED"),
            InstancePlan(account_id="123456789012", region="us-east-1", action="create"),
            InstancePlan(
                account_id="123456789012", region="sa-east-1", action="remove", status="CURRENT", reason="not among the targets any more"
            ),
        ),
    ),
    stack(
        "site",
        "update",
        depends_on=("certificate",),
        waits_for=("certificate.CertificateArn",),
        parameters=(
            ParameterPlan(
                name="CertificateArn", source="output certificate.CertificateArn", before=known("arn:old"), after=AFTER, changed=True
            ),
            ParameterPlan(name="Hash", source="secret demo/auth", before=Redacted(), after=Redacted(), changed=True),
            ParameterPlan(name="Same", source="literal", before=known("x"), after=known("x")),
        ),
        resources=(
            ResourceChange(
                logical_id="Bucket",
                resource_type="AWS::S3::Bucket",
                action="modify",
                replacement=Replacement(verdict="yes", by="cloudformation", because=("BucketName",)),
                policy_action="ReplaceAndDelete",
                holds_data=True,
                properties=(
                    PropertyChange(path="BucketName", before=known("one"), after=known("two"), recreation="always"),
                    PropertyChange(path="LifecycleConfiguration", change="add", after=known(LONG)),
                ),
            ),
            ResourceChange(
                logical_id="Table",
                resource_type="AWS::DynamoDB::Table",
                action="remove",
                policy_action="Retain",
                holds_data=True,
            ),
            ResourceChange(
                logical_id="Distribution",
                resource_type="AWS::CloudFront::Distribution",
                action="modify",
                replacement=Replacement(verdict="maybe", by="cloudformation", because=("X",)),
                properties=(
                    PropertyChange(path="DistributionConfig.ViewerCertificate.AcmCertificateArn", before=known("arn:old"), after=AFTER),
                    PropertyChange(
                        path="DistributionConfig.Comment", before=known("line one\nline two\n"), after=known("line one\nline 2\n")
                    ),
                    PropertyChange(path="", attribute="Tags", because_of=("resource Bucket.Arn",), recreation="conditionally"),
                    PropertyChange(path="Drifted", before=known("by hand"), after=known("as written"), change="sync", drifted=True),
                ),
            ),
            ResourceChange(logical_id="New", resource_type="AWS::SNS::Topic", action="add"),
            ResourceChange(logical_id="Left", resource_type="AWS::SNS::Topic", action="modify", in_change_set=False),
        ),
        settings=(SettingChange(setting="termination_protection", before="off", after="on"),),
        widenings=(
            Widening(
                stack="site",
                logical_id="BucketPolicy",
                resource_type="AWS::S3::BucketPolicy",
                path="PolicyDocument",
                kind="principal_added",
                statement="Read",
                before="AWS:one",
                after="*",
                grants_everything=True,
            ),
            Widening(
                stack="site",
                logical_id="BucketPolicy",
                resource_type="AWS::S3::BucketPolicy",
                path="PolicyDocument",
                kind="deny_removed",
                statement="TlsOnly",
                before="Deny s3:* on * to * if Bool aws:SecureTransport false",
            ),
        ),
        findings=(
            Finding(
                severity="warning", code="not_in_change_set", message="Left: CloudFormation's change set does not list it", stack="site"
            ),
        ),
    ),
    stack("dns", "none", region="us-east-1", depends_on=("site",)),
)
BLOCKED = plan_of(
    stack(
        "certificate",
        "blocked",
        state=ABSENT,
        findings=(
            Finding(
                severity="error",
                code="stack_rollback_complete",
                message="demo-dev-certificate is ROLLBACK_COMPLETE",
                command="python deploy.py doctor --env dev --fix",
                stack="certificate",
            ),
        ),
    ),
    protected=True,
)


def content(*changes: FileChange, **more: Any) -> ContentPlan:
    given: dict[str, Any] = {
        "environment": "dev",
        "bucket": "dev-demo-web",
        "origin": "web/dist",
        "directory": "/work/web/dist",
        "manifest": "c" * 64,
        "content": "d" * 64,
        "files": 9,
        "size": 12_345,
        "changes": changes,
    }
    return content_sealed(ContentPlan(**(given | more)))


def file(key: str, change: Any = "add", **more: Any) -> FileChange:
    given: dict[str, Any] = {"size": 1_234, "content_type": "text/javascript; charset=utf-8", "cache_control": IMMUTABLE}
    return FileChange(key=key, change=change, **(given | more))


IMMUTABLE = "public, max-age=31536000, immutable"
UPDATED = content(
    file("assets/Plans-0a1b2c3d.js"),
    file("assets/logo.svg", "modify", content_type="image/svg+xml", size=900, before_size=880),
    file("index.html", "modify", content_type="text/html; charset=utf-8", cache_control="no-cache", size=512, before_size=511),
    file(
        "robots.txt",
        "headers",
        content_type="text/plain; charset=utf-8",
        cache_control="public, max-age=60",
        before="text/plain; charset=utf-8; cache-control: no-cache",
        before_size=1_234,
    ),
    live="e" * 64,
    live_number=7,
    kept=5,
    superseded=("assets/Plans-99999999.js",),
    prunable=("assets/Old-1.js", "assets/Old-2.js"),
    invalidations=("/assets/logo.svg",),
    notes=("assets/logo.svg is served as immutable but has new content under the same name",),
)
FIRST = content(
    file("assets/index-1.js"), file("index.html", cache_control="no-cache"), known_after=("site.BucketName", "site.DistributionId")
)
CONTENT = plan_of(stack("site", "none"), stack("dns", "none", depends_on=("site",)), content=UPDATED)
DEPLOYMENT = plan_of(stack("site", "create", state=ABSENT), content=FIRST, protected=True)
LIVE_ALREADY = plan_of(stack("site", "none"), content=content(live="c" * 64, live_number=7, kept=9))
TAKING_OVER = plan_of(
    stack(
        "site",
        "import",
        state=ABSENT,
        takes=(
            TakenOver(
                logical_id="Bucket",
                resource_type="AWS::S3::Bucket",
                identifier={"BucketName": "www.example.org"},
                physical_id="www.example.org",
                source="terraform module.site.aws_s3_bucket.this",
                sha256="3" * 64,
            ),
        ),
        resources=(
            ResourceChange(
                logical_id="Bucket",
                resource_type="AWS::S3::Bucket",
                action="modify",
                holds_data=True,
                properties=(
                    PropertyChange(
                        path="VersioningConfiguration.Status",
                        before=known("Suspended"),
                        after=known("Enabled"),
                        values_from="template",
                    ),
                ),
            ),
            ResourceChange(logical_id="Policy", resource_type="AWS::S3::BucketPolicy", action="add"),
        ),
    ),
    stack(
        "certificate",
        "import",
        state=ABSENT,
        region="us-east-1",
        takes=(
            TakenOver(
                logical_id="Certificate",
                resource_type="AWS::CertificateManager::Certificate",
                identifier={"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"},
                physical_id="arn:aws:acm:us-east-1:123456789012:certificate/1",
                source="kept by the deleted stack of this name",
                sha256="4" * 64,
            ),
        ),
        resources=(
            ResourceChange(
                logical_id="Certificate",
                resource_type="AWS::CertificateManager::Certificate",
                action="modify",
                properties=(
                    PropertyChange(
                        path="", attribute="DeletionPolicy", before=known("Retain"), after=known("Delete"), values_from="template"
                    ),
                ),
            ),
        ),
    ),
    protected=True,
)
NOTHING = plan_of(stack("certificate", "none"), stack("site", "none", depends_on=("certificate",)))
PLANS = {
    "everything": EVERYTHING,
    "blocked": BLOCKED,
    "nothing": NOTHING,
    "content": CONTENT,
    "deployment": DEPLOYMENT,
    "live": LIVE_ALREADY,
    "taking-over": TAKING_OVER,
}


def without_assets(page: str) -> str:
    """The page with the names of its style sheet and script in their places: their own files are reviewed as files."""
    for name in ("review.css", "review.js"):
        page = page.replace((html.PAGE / name).read_text(encoding="utf-8").rstrip(), name)
    return page


def test_what_is_taken_over_as_it_is_to_be_is_told_so() -> None:
    alone = msgspec.structs.replace(TAKING_OVER.stacks[-1], resources=())
    assert (takeover_view.then(alone), takeover_view.no_more_kept(alone)) == (takeover_view.THEN_NOTHING, "")


@pytest.mark.parametrize("name", PLANS)
def test_golden_texts(name: str) -> None:
    plan = PLANS[name]
    assert_golden(f"review/{name}.txt", terminal.render(plan, width=120))
    assert_golden(f"review/{name}.md", markdown.render(plan))
    assert_golden(f"review/{name}.html", without_assets(html.render(plan)))
    assert_golden(f"review/{name}.json", as_json.render(plan))


def test_golden_schema_of_the_json_form_is_kept_current() -> None:
    path = ROOT / "docs" / "plan-schema.json"
    import os

    if os.environ.get("GOLDEN_UPDATE"):
        path.write_text(as_json.schema(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == as_json.schema(), "docs/plan-schema.json is not current; if that is meant: make golden"


def test_the_json_form_is_what_its_types_say() -> None:
    for plan in PLANS.values():
        found = msgspec.json.decode(as_json.render(plan), type=as_json.Review)
        assert found.plan == plan


def test_the_legend_has_only_the_symbols_in_use() -> None:
    assert summary.legend(NOTHING) == ()
    adds = plan_of(stack("a", "create", resources=(ResourceChange(logical_id="R", resource_type="T", action="add"),)))
    assert summary.legend(adds) == (("+", "add"),)
    assert len(summary.legend(EVERYTHING)) == 7


def test_dangers_are_shouted_in_every_form() -> None:
    for text in (terminal.render(EVERYTHING), markdown.render(EVERYTHING), html.render(EVERYTHING)):
        assert "is REPLACED because of BucketName: its objects WILL BE LOST" in text
        assert "is REMOVED; the old one, Table, is kept, but no stack knows it any more" in text
    assert terminal.render(EVERYTHING).index("DATA AT RISK") < terminal.render(EVERYTHING).index("certificate:")


def test_the_last_line_counts() -> None:
    last, what_next = terminal.render(EVERYTHING).splitlines()[-2:]
    assert what_next == "next: python deploy.py apply --env dev", "the last line is what to type"
    assert last == (
        "Plan: 4 stacks: 3 to update, 1 unchanged; resources: 1 to add, 1 to modify, 2 to replace, 1 perhaps to replace, 1 to remove,"
        " 1 not listed; StackSet instances: 1 to create, 1 to update, 1 to remove; 2 of them endangering data; 2 widened permissions."
    )
    assert terminal.render(NOTHING).splitlines()[-1] == "No changes: 2 stacks as the assembly wants them."
    assert terminal.render(CONTENT).splitlines()[-2] == (
        "Plan: 2 stacks: 2 unchanged; content: 1 to add, 2 to change, 1 with other headers, 5 kept, 1 superseded, 2 prunable,"
        " 1 path to invalidate; 3,880 bytes to send."
    )
    assert terminal.render(LIVE_ALREADY).splitlines()[-1] == "No changes: 1 stack as the assembly wants it; content live already."
    assert terminal.render(BLOCKED).splitlines()[-1] == "Plan cannot be applied: 1 stack: 1 blocked."


def test_every_form_tells_files_headers_invalidations_and_what_is_not_known_yet() -> None:
    for form in (terminal.render(CONTENT), markdown.render(CONTENT), html.render(CONTENT), as_json.render(CONTENT)):
        for wanted in (
            "assets/Plans-0a1b2c3d.js",
            "assets/logo.svg",
            "robots.txt",
            "cache-control: no-cache",
            "assets/Old-1.js",
            "web/dist",
        ):
            assert wanted in form.replace("\\", ""), wanted
    for form in (terminal.render(DEPLOYMENT), markdown.render(DEPLOYMENT), html.render(DEPLOYMENT)):
        assert "known after site.BucketName, site.DistributionId" in form


def test_content_alone_is_a_change_and_changes_the_digest() -> None:
    assert CONTENT.has_changes and not LIVE_ALREADY.has_changes
    assert CONTENT.digest != plan_of(stack("site", "none"), stack("dns", "none", depends_on=("site",))).digest
    assert summary.next_command(CONTENT) == "python deploy.py apply --env dev"
    other = plan_of(*CONTENT.stacks, content=msgspec.structs.replace(UPDATED, kept=6))
    assert other.digest != CONTENT.digest


def test_colour_is_only_there_when_asked_for() -> None:
    assert "\x1b[" not in terminal.render(EVERYTHING)
    coloured = terminal.render(EVERYTHING, colour=True)
    below = io.StringIO()
    filtered(below).write(coloured)
    assert "\x1b[" in below.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", below.getvalue()) == terminal.render(EVERYTHING)


def test_a_protected_environment_is_approved_by_digest() -> None:
    plan = plan_of(stack("a", "settings", settings=EVERYTHING.stacks[2].settings), protected=True)  # type: ignore[union-attr]
    assert summary.next_command(plan) == f"python deploy.py apply --env dev --approve {plan.digest}"


# --- what no value may do -----------------------------------------------------------------------------------------

NASTY = ["<script>alert(1)</script>", "</div></details>", "```\n# title", "@team", "[x](https://evil)", "`", "|", "a\n\n- b", "&lt;", "\"'"]


def one_value(text: str) -> Plan:
    value: Value = known(text)
    change = ResourceChange(
        logical_id="R", resource_type=text, action="modify", properties=(PropertyChange(path=text, before=value, after=known(text + "!")),)
    )
    widening = Widening(
        stack="a", logical_id="R", resource_type="T", path=text, kind="action_added", statement=text, before=text, after=text
    )
    finding = Finding(severity="warning", code="x", message=text, command=text, stack="a")
    parameter = ParameterPlan(name=text, source=text, before=None, after=value, changed=True)
    name = text or "k"
    files = content(
        file(name),
        file(name + "2", "headers", before=text),
        origin=text,
        superseded=(name,),
        invalidations=(name,),
        notes=(text,),
        bucket=text,
    )
    site = stack("a", "update", resources=(change,), widenings=(widening,), findings=(finding,), parameters=(parameter,))
    return plan_of(site, content=files)


class Tags(HTMLParser):
    """Counts elements and collects what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loaded += [v or "" for k, v in attrs if k in ("src", "href", "action", "data") and not (v or "").startswith("#")]
        self.loaded += [k for k, _ in attrs if k.startswith("on")]
        if tag not in ("meta", "br", "rect", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "path"):
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [v or "" for k, v in attrs if k in ("src", "href")]


@settings(max_examples=80, deadline=None)
@given(text=st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.lists(st.sampled_from(NASTY), max_size=3).map("".join)))
def test_a_value_is_never_markup(text: str) -> None:
    plan = one_value(text)
    page = Tags()
    page.feed(html.render(plan))
    page.close()
    assert (page.open, page.scripts, page.loaded) == ([], 1, [])
    comment = markdown.render(plan)
    outside = re.sub(r"^(`{3,})diff\n.*?^\1$", "", comment, flags=re.MULTILINE | re.DOTALL)
    outside = outside.replace("\\`", "")
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search(r"@(?!&#8203;)|<script|(?<!\\)\]\(|https?://", outside)
    assert outside.count("<details") == outside.count("</details>") == 3


@settings(max_examples=40, deadline=None)
@given(resources=st.integers(0, 400), size=st.integers(0, 3_000), limit=st.sampled_from([2_000, 20_000, markdown.LIMIT]))
def test_a_comment_is_never_too_long(resources: int, size: int, limit: int) -> None:
    changes = tuple(
        ResourceChange(
            logical_id=f"R{i}",
            resource_type="AWS::SNS::Topic",
            action="modify",
            properties=(PropertyChange(path="P", before=known("`" * (i % 5) + "x" * size), after=known("y" * size)),),
        )
        for i in range(resources)
    )
    files = content(*(file(f"assets/{'x' * min(size, 900)}{i}.js") for i in range(resources)), superseded=("y" * size,) * 30)
    plan = plan_of(stack("a", "update", resources=changes), content=files)
    text = markdown.render(plan, limit=limit)
    assert len(text) <= limit
    assert "Plan: 1 stack" in text
    assert text.count("<details") == text.count("</details>")


@given(text=st.text("a\x1b[31m\x07\r\u202e\u200b", max_size=10))
def test_nothing_hides_or_turns_the_text_around_it(text: str) -> None:
    plan = one_value(text)
    for form in (terminal.render(plan), markdown.render(plan), html.render(plan)):
        assert not re.search("[\x1b\x07\r\u202e\u200b]", form)


def test_the_page_needs_no_network() -> None:
    text = html.render(EVERYTHING)
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=\"(?!#)", text)
    assert "@import" not in text and "url(" not in text and "http" not in re.sub(r"http-equiv", "", text)


def test_the_graph_has_every_stack_and_only_direct_edges() -> None:
    picture = html.picture(EVERYTHING)
    assert picture.count("<rect") == 4 and picture.count("<path") == 2
    assert graph.reduced({"a": (), "b": ("a",), "c": ("a", "b")}) == {"a": (), "b": ("a",), "c": ("b",)}
    assert graph.layers({"a": (), "b": ("a",), "c": ("a", "b")}) == {"a": 0, "b": 1, "c": 2}


def test_a_command_that_several_findings_in_a_row_end_with_is_told_once_in_every_form() -> None:
    again = [
        Finding(severity="error", code=str(n), message=f"record {n} stands", command="python deploy.py plan --replace") for n in range(3)
    ]
    other = Finding(severity="warning", code="w", message="another", command="python deploy.py plan --replace")
    plan = plan_of(stack("dns", "blocked", findings=(*again, other)))
    assert [each.command for each in summary.further_findings(plan)] == ["", "", again[0].command, other.command]
    for text in (terminal.render(plan, width=140), markdown.render(plan), html.render(plan)):
        assert all(each.message in text for each in (*again, other))
    assert terminal.render(plan, width=140).count("deploy.py plan --replace") == 2


@pytest.mark.parametrize("exists", [False, True])
def test_a_stack_that_is_not_there_has_its_policies_counted_whatever_stops_it(exists: bool) -> None:
    widening = Widening(
        stack="a", logical_id="R", resource_type="AWS::IAM::Role", path="P", kind="statement_added", statement="S", after="x"
    )
    plan = plan_of(
        stack(
            "a",
            "blocked",
            state=LIVE if exists else ABSENT,
            widenings=(widening,),
            findings=(Finding(severity="error", code="e", message="no"),),
        )
    )
    text = terminal.render(plan, width=140)
    assert ("Policies that allow more than before" in text, "a new stack with 1 statement" in text) == (exists, not exists)
