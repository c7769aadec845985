"""What verify is told to look at: the contract, the live release, where to connect, the password, the replica.

In: parsed arguments (those of `add_target_arguments`), an opened environment. Out: a `Target`. Never: looks.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assembly import commands
from guards import masks
from session.context import USAGE, CommandError, Context
from session.opened import Opened
from session.origins import origins_of, pair_of
from session.site import contract_of, outputs, site_of

if TYPE_CHECKING:
    from assembly.model import Assembly
    from verification.model import Endpoint, Replica, Target
    from website.releases import Release

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REPLICA_STACK = "replica"
PASSWORD_VARIABLE = "BASIC_AUTH_PASSWORD"  # noqa: S105  (the name of it)


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    """--password-file, --nameserver."""
    parser.add_argument("--password-file", type=Path, metavar="FILE", help=f"Basic Auth password (default: {PASSWORD_VARIABLE})")
    parser.add_argument("--nameserver", action="append", default=[], metavar="IP[:PORT]", help="ask this one; may be repeated")


def target_of(args: argparse.Namespace, context: Context, assembly: Assembly, opened: Opened | None) -> tuple[Target, Release | None]:
    """What to verify, and the release that is live."""
    from verification.model import SPELLED_TWICE, Target

    secret = assembly.basic_auth_secret
    target = Target(
        contract=contract_of(assembly),
        username=secret.username if secret else "",
        password=_password(args, context, opened),
        endpoint=_endpoint(args.resolve, "--resolve") if args.resolve else None,
        plain_endpoint=_endpoint(args.resolve_http, "--resolve-http") if args.resolve_http else None,
        preview=bool(args.resolve),
        browser=_browser(args),
        ca_file=str(args.ca_file or ""),
        nameservers=tuple(_nameserver(each) for each in args.nameserver),
    )
    if opened is None:
        return target, None
    site = site_of(opened)
    state, _ = site.store.state()
    live = state.live
    released = {key: file.sha256 for key, file in site.store.manifest(live.manifest).by_key.items()} if live else {}
    spelled = {f"/{key}": digest for key, digest in released.items() if SPELLED_TWICE.search(key)}
    target = dataclasses.replace(target, index_sha256=released[site.index_key] if live else "", spelled=spelled)
    if not args.local and not args.resolve:
        # The local AWS and a preview have neither host names nor a bucket that refuses.
        domain = outputs(opened)["DistributionDomainName"]
        bucket = f"https://{site.bucket}.s3.{assembly.home_region}.amazonaws.com"
        target = dataclasses.replace(target, distribution_domain=domain, bucket_url=bucket)
    return target, live


def with_replica(target: Target, opened: Opened | None, assembly: Assembly, live: Release | None) -> Target:
    """The same with the replica, or why it is not looked at; as it is where there is no disaster recovery."""
    if not any(stack.id == REPLICA_STACK for stack in assembly.stacks):
        return target
    return dataclasses.replace(target, replica=_replica(opened, live.manifest if live else ""))


def _replica(opened: Opened | None, manifest: str) -> Replica | str:
    from recovery import closing, comparing
    from verification.model import Replica

    origins = origins_of(opened) if opened is not None else None
    if opened is None or origins is None or not manifest:
        return "AWS was not asked" if opened is None else "nothing was published yet"
    pair = pair_of(opened, origins)
    files = site_of(opened).store.manifest(manifest).by_key
    wanted = {key: entry.md5 for key, entry in files.items()}

    def readers() -> tuple[str, ...]:
        primary, replica = pair.policies()
        return tuple(f"statement {sid}" for sid in closing.unlike(primary, replica, origins.primary.arn, origins.replica.arn))

    return Replica(
        keys=frozenset(files),
        head=lambda key: pair.primary.head(origins.primary.bucket, key),
        unlike=lambda: comparing.unlike(wanted, comparing.read(pair.replica, origins.replica.bucket)),
        readers=readers,
    )


def _password(args: argparse.Namespace, context: Context, opened: Opened | None) -> str:
    if args.password_file is not None:
        password = str(args.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        masks.hide(password)
        return password
    given = context.environ.get(PASSWORD_VARIABLE, "")
    if given or not args.local or opened is None or opened.assembly.basic_auth_secret is None:
        return given
    from session.local_password import known

    return known(context, opened.aws, opened.assembly)[0]


def _browser(args: argparse.Namespace) -> str:
    """The Chromium to look with; "" without --browser. Raises `CommandError` where there is none, or nothing that drives it."""
    if args.browser is None:
        return ""
    found = shutil.which(args.browser) if args.browser else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        what = f"{args.browser}: no such program" if args.browser else f"no Chromium here: {', '.join(BROWSERS)}"
        raise CommandError(what, command="apt-get install chromium, or --browser PROGRAM", status=USAGE)
    if importlib.util.find_spec("playwright") is None:
        raise CommandError("--browser needs Playwright, which drives it", command="pip install playwright", status=USAGE)
    return found


def _endpoint(text: str, option: str) -> Endpoint:
    from verification.model import Endpoint

    scheme = urlsplit(text).scheme if "://" in text else "https"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or scheme not in ("http", "https"):
        raise CommandError(f"{option} {text!r}: write HOST:PORT", command=f"{commands.DEPLOY} verify --help", status=USAGE)
    return Endpoint(host=host, port=port, tls=scheme == "https")


def _nameserver(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"\[?([0-9a-fA-F:.]+?)\]?(?::(\d{1,5}))?", text)
    if not match:
        raise CommandError(f"--nameserver {text!r}: write IP or IP:PORT", command=f"{commands.DEPLOY} verify --help", status=USAGE)
    return match[1], int(match[2] or 53)
