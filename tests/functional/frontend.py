"""A built front end for tests, and an environment whose site can be published to.

In: a directory; an `Aws` on the local AWS. Out: what a bundler would have written, in any number of versions; the deployed foundation
and site stacks of an environment, made from the project's own templates.
Never: needs npm or the other stacks: what those produce is handed to CloudFormation as plain parameters.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from assembly import files
from assembly.model import Assembly, OutputRef, Source
from aws.s3 import S3
from aws.session import Aws
from aws.transfer import Transfer
from stacks.synthesis import Synthesis, synthesise
from tests.environments_fixture import changed, environments
from tests.functional.distributions import certified
from tests.functional.harness import eventually
from website.content import key_prefix
from website.invalidation import Behaviours
from website.ledger import verified_key
from website.releases import State, Store, moment, timestamp
from website.site import Site

BUILT = Path(__file__).resolve().parent.parent / "fixtures" / "site"
"""What Vite made of a small React app with lazy routes."""
GENERATED = frozenset({"404.html", "error.html", "robots.txt"})
"""What a publish adds to it in an environment that is not for search engines."""


def built(directory: Path) -> Path:
    """A copy of the built app, to be changed at will."""
    shutil.copytree(BUILT, directory)
    return directory


def rebuilt(directory: Path, text: str) -> str:
    """Change a lazy route the way a bundler does: a new chunk name, a new entry chunk, a new page. Returns the new chunk's key."""
    assets = directory / "assets"
    chunk = next(assets.glob("Plans-*.js"))
    entry = next(assets.glob("index-*.js"))
    page = directory / "index.html"
    body = chunk.read_text() + f"/* {text} */\n"
    fresh = assets / f"Plans-{_name(body)}.js"
    chunk.unlink()
    fresh.write_text(body)
    script = entry.read_text().replace(chunk.name, fresh.name)
    main = assets / f"index-{_name(script)}.js"
    entry.unlink()
    main.write_text(script)
    page.write_text(page.read_text().replace(entry.name, main.name))
    return f"assets/{fresh.name}"


def many(directory: Path, count: int, size: int = 200) -> Path:
    """A site of `count` files: a page and hashed assets."""
    (directory / "assets").mkdir(parents=True)
    for number in range(count - 1):
        body = (f"export default {number};\n" * (size // 18 + 1))[:size]
        (directory / "assets" / f"c{number:05d}-{_name(body)}.js").write_text(body)
    first = next((directory / "assets").iterdir())
    (directory / "index.html").write_text(f'<!doctype html><script type="module" src="/assets/{first.name}"></script>')
    return directory


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """An environment in the local AWS."""

    synthesis: Synthesis
    dist: Path
    outputs: Mapping[str, str]

    @property
    def assembly(self) -> Assembly:
        """As build.py would have written it."""
        return self.synthesis.assembly

    @property
    def bucket(self) -> str:
        """The site bucket."""
        return self.outputs["BucketName"]


def synthesised(name: str, account: str, **changes: Any) -> Synthesis:
    """An environment of the repository, made real: its own account and buckets, no Basic Auth."""
    template = environments()[name]
    filled: dict[str, Any] = {
        "account_id": account,
        "bucket": f"{name}-site-{account}",
        "artifacts": {"bucket": f"{name}-artifacts-{account}"},
        "github": {"repository": "example/web"},
        "basic_auth": {"enabled": False},
    }
    for key, value in changes.items():
        filled[key] = {**filled[key], **value} if isinstance(filled.get(key), dict) else value
    return synthesise(changed(template, filled))


def write(synthesis: Synthesis, dist: Path) -> None:
    """The assembly to dist/NAME, as build.py does."""
    assembly = synthesis.assembly
    templates = {stack.template.file: synthesis.templates[stack.id] for stack in assembly.stacks}
    files.write(dist / assembly.environment, files.files_of(assembly, templates))


def age(aws: Aws, site: Deployed, *, days: int) -> None:
    """Let the releases be that much older."""
    store = store_of(aws, site)

    def older(text: str) -> str:
        return timestamp(moment(text) - timedelta(days=days)) if text else ""

    def edit(state: State) -> State:
        aged = (msgspec.structs.replace(r, at=older(r.at), superseded_at=older(r.superseded_at)) for r in state.releases)
        return msgspec.structs.replace(state, releases=tuple(aged))

    store.change(edit)


def verified(aws: Aws, site: Deployed) -> None:
    """Note that the live release was verified."""
    store = store_of(aws, site)
    assert site.assembly.contract is not None
    now, _ = store.state()
    key = verified_key(key_prefix(site.assembly.contract), now.releases[-1].number, now.releases[-1].manifest)
    store.s3.put(site.bucket, key, b"")

    def edit(state: State) -> State:
        live = msgspec.structs.replace(state.releases[-1], verified_at=state.releases[-1].at, verified_by="test")
        return msgspec.structs.replace(state, releases=(*state.releases[:-1], live))

    store.change(edit)


def outputs_only(aws: Aws, site: Deployed, stack_id: str, **values: str) -> None:
    """A stack of the assembly's name that has nothing but outputs."""
    stack = next(s for s in site.assembly.stacks if s.id == stack_id)
    template = {
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {key: {"Value": value} for key, value in values.items()},
    }
    client = aws.client("cloudformation", account_id=site.assembly.account_id, region=stack.region)
    client.create_stack(StackName=stack.stack_name, TemplateBody=json.dumps(template))
    _outputs(client, stack.stack_name)


def store_of(aws: Aws, site: Deployed) -> Store:
    """The releases of the environment."""
    assembly = site.assembly
    return Store(
        S3.connect(aws, account_id=assembly.account_id, region=assembly.home_region), assembly.artifact_bucket, assembly.environment
    )


def site_of(aws: Aws, site: Deployed) -> Site:
    """The site as the verbs see it; without a distribution."""
    store = store_of(aws, site)
    assert site.assembly.contract is not None

    def missing() -> Any:
        raise AssertionError("no distribution here")

    return Site(
        environment=site.assembly.environment,
        contract=site.assembly.contract,
        behaviours=Behaviours.of_template(site.synthesis.templates["site"]),
        bucket=site.bucket,
        store=store,
        s3=store.s3,
        uploads=lambda: Transfer(store.s3),
        cloudfront=missing,
        distribution_id=missing,
    )


def deployed(aws: Aws, dist: Path, name: str, account: str, *, foundation: bool = True, **changes: Any) -> Deployed:
    """Write the assembly to dist/NAME and make the foundation and site stacks from it, and those of a replica.

    Without `foundation` the site and the artifact bucket alone.
    """
    synthesis = synthesised(name, account, **changes)
    write(synthesis, dist)
    assembly = synthesis.assembly
    acm = aws.client("acm", account_id=account, region="us-east-1")
    given = {
        "CertificateArn": certified(acm, *assembly.site.certificate_names)["ACMCertificateArn"],
        "EdgeFunctionVersionArn": f"arn:aws:lambda:us-east-1:{account}:function:auth:1",
        "WebAclArn": f"arn:aws:wafv2:us-east-1:{account}:global/webacl/firewall/12345678-1234-1234-1234-123456789012",
    }
    made: dict[str, dict[str, str]] = {}
    wanted = ("foundation", "replica", "site", "replica-access") if foundation else ("site",)
    if not foundation:
        aws.client("s3", account_id=account, region=assembly.home_region).create_bucket(
            Bucket=assembly.artifact_bucket, CreateBucketConfiguration={"LocationConstraint": assembly.home_region}
        )
    for stack in assembly.stacks:
        if stack.id not in wanted:
            continue
        fed = {each.name: made[each.source.stack][each.source.output] for each in stack.parameters if _is_made(each.source, made)}
        client = aws.client("cloudformation", account_id=account, region=stack.region)
        declared = json.loads(synthesis.templates[stack.id]).get("Parameters", {})
        client.create_stack(
            StackName=stack.stack_name,
            TemplateBody=json.dumps(json.loads(synthesis.templates[stack.id]), separators=(",", ":")),
            Parameters=[{"ParameterKey": key, "ParameterValue": fed.get(key) or given[key]} for key in declared],
            Capabilities=list(stack.capabilities),
        )
        made[stack.id] = _outputs(client, stack.stack_name)
    return Deployed(synthesis=synthesis, dist=dist, outputs=made["site"])


def _is_made(source: Source, made: Mapping[str, object]) -> TypeGuard[OutputRef]:
    return isinstance(source, OutputRef) and source.stack in made


def _outputs(client: Any, name: str) -> dict[str, str]:
    def made() -> dict[str, Any] | None:
        stack: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"] == "CREATE_IN_PROGRESS" else stack

    stack = eventually(made)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}


def sha256_of(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
