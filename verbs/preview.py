"""Serve the site on localhost exactly as the built templates describe it, without AWS.

In: dist/ENV, a folder with the built front end (or, with --local, the local AWS's bucket). Out: the address on stdout, a log on stderr;
with --explain the way of one request on stdout. Ends with Ctrl-C.
Never: listens on another address than 127.0.0.1, stores a password, reads AWS credentials.

Plain HTTP stands for HTTPS here: a request is treated as if it had come by HTTPS, unless it says "X-Forwarded-Proto: http". With --https
the port speaks TLS, and requests to --http-port are the plain ones that the distribution redirects.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assembly import commands
from session import local_password
from session.context import OK, USAGE, CommandError, Context
from session.opened import default_dist, open_environment

if TYPE_CHECKING:
    from aws.session import Aws
    from preview.content import Content
    from preview.credential import Credential
    from preview.session import Preview, Settings
    from session.opened import Opened

EXAMPLES = """\
  python deploy.py preview --env dev --content ../web/dist                       http://127.0.0.1:8080
  python deploy.py preview --env dev --content ../web/dist --explain /buy        the way of one request, then the end
  python deploy.py preview --env prod --content ../web/dist --https --port 8443 --http-port 8080
  python deploy.py preview --env dev --content ../web/dist --origin-down 20s      what visitors see when the bucket is gone
  python deploy.py preview --env prod --content ../web/dist --origin-down 20s --replica-up    and when its replica takes over
  python deploy.py preview --env dev --local                                     what publish --local has published
  pass show dev | python deploy.py preview --env dev --content ../web/dist --password-stdin
"""
DATA = ("docs.verb_answers:Serving", "docs.verb_answers:Explanations")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("--env", required=True, metavar="ENV", help="environment, as built into dist/ENV")
    parser.add_argument(
        "--dist", type=Path, default=default_dist(), metavar="DIR", help="where build.py wrote (default: dist of the checkout)"
    )
    content = parser.add_mutually_exclusive_group(required=True)
    content.add_argument("--content", type=Path, metavar="DIR", help="the built front end")
    content.add_argument("--local", action="store_true", help="the bucket of the local AWS, after apply --local and publish --local")
    parser.add_argument("--port", type=_port, default=8080, metavar="N", help="port on 127.0.0.1; 0 is any free one (default: 8080)")
    parser.add_argument("--https", action="store_true", help="speak TLS and HTTP/2 on the port, with a certificate made at start")
    parser.add_argument("--http-port", type=_port, metavar="N", help="with --https: a plain port, whose requests are redirected")
    parser.add_argument("--user", metavar="NAME", help="user name; must be the one of the assembly, whose code carries it")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from stdin (default: one is made and shown)")
    parser.add_argument("--explain", metavar="PATH", help="print the way of one GET through behaviours, functions, cache and origin")
    parser.add_argument(
        "--origin-slow", type=_seconds, default=0.0, metavar="TIME", help="the bucket takes so much longer, e.g. 150ms or 5s"
    )
    parser.add_argument(
        "--origin-down",
        type=_seconds,
        nargs="?",
        const=0.0,
        metavar="TIME",
        help="the bucket does not answer; with a time: from then on, so that the cache has something to live on",
    )
    parser.add_argument(
        "--origin-status", type=_status, metavar="CODE", help="with --origin-down: it answers with this instead, e.g. 503, 403 or 404"
    )
    parser.add_argument("--replica-up", action="store_true", help="with --origin-down or --origin-slow: the replica of the bucket is well")
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve, or explain one request."""
    from preview.interpreter.site import InterpretError
    from preview.node import NodeError
    from preview.sockets import PortError

    if args.http_port is not None and not args.https:
        raise CommandError("--http-port goes with --https: without it the one port is plain already", status=USAGE)
    if args.explain is not None and not args.explain.startswith("/"):
        raise CommandError(f"--explain takes a path such as /buy, not {args.explain!r}", status=USAGE)
    try:
        return _explain(args, context) if args.explain is not None else _serve(args, context)
    except InterpretError as error:
        raise CommandError(*error.problems, command=commands.build(args.env), status=USAGE) from None
    except PortError as error:
        raise CommandError(str(error), command=error.command) from None
    except NodeError as error:
        raise CommandError(str(error), command="node --version") from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def _status(text: str) -> int:
    if not re.fullmatch(r"[45]\d\d", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no status of an error, 400 to 599")
    return int(text)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: for example 150ms or 5s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


# --- the credential -----------------------------------------------------------------------------------------------


def _credential(args: argparse.Namespace, context: Context, username: str, opened: Opened | None) -> Credential:
    """User name and password: with --local those of the local AWS, else the preview's own, which live as long as the process."""
    from operations import credential
    from preview.credential import Credential

    if args.user is not None and args.user != username:
        raise CommandError(
            f"--user {args.user}: the edge function of {args.env} knows the user {username!r} only (basic_auth.username)", status=USAGE
        )
    if opened is not None:
        password, hashed = local_password.known(context, opened.aws, opened.assembly)
        return Credential(username, password, hashed, generated=bool(password))
    if not args.password_stdin:
        return Credential(username, *local_password.make(context), generated=True)
    password = context.stdin.readline().rstrip("\r\n")
    try:
        return Credential(
            username,
            password,
            credential.hash_password(password, bytes.fromhex(context.token_hex(credential.SALT_OCTETS))),
            generated=False,
        )
    except credential.CredentialError as error:
        raise CommandError(str(error), status=USAGE) from None


# --- serving ------------------------------------------------------------------------------------------------------


def _settings(args: argparse.Namespace, context: Context) -> tuple[Settings, Credential | None]:
    from aws.cloudfront import CloudFront
    from aws.s3 import S3
    from preview import source
    from preview.bucket import bucket_content, invalidations, regions
    from preview.credential import secret_values
    from preview.origin_faults import OriginFaults
    from preview.session import Settings

    directory = args.dist / args.env
    built = source.read(directory)
    secret = built.assembly.basic_auth_secret
    opened = open_environment(args, context) if args.local else None
    credential = _credential(args, context, secret.username, opened) if secret is not None else None
    if secret is None and (args.password_stdin or args.user):
        context.say(f"note: {args.env} asks for no password; --user and --password-stdin have no effect")
    content: Content | None = None
    invalidated = None
    if opened is not None:
        invalidated = invalidations(CloudFront.connect(opened.aws, account_id=opened.assembly.account_id))
        where = regions(built.templates, {stack.id: stack.region for stack in built.assembly.stacks})
        account, home, hasty = opened.assembly.account_id, opened.assembly.home_region, _hasty(context)
        content = bucket_content(lambda bucket: S3.connect(hasty, account_id=account, region=where.get(bucket, home)))
    elif not args.content.is_dir():
        raise CommandError(f"{args.content}: no such folder", command="build the front end first, for example: npm run build", status=USAGE)
    return (
        Settings(
            directory=directory,
            secrets=lambda now: secret_values(now, credential),
            port=args.port,
            folder=args.content,
            content=content,
            invalidations=invalidated,
            faults=OriginFaults(slow=args.origin_slow, down_after=args.origin_down, status=args.origin_status, first_only=args.replica_up),
            https=args.https,
            http_port=args.http_port,
            authority_file=(lambda port: context.root / ".cache" / "preview" / f"{args.env}-{port}-ca.pem") if args.https else None,
            say=context.say,
            now=context.now,
            monotonic=context.monotonic,
        ),
        credential,
    )


def _hasty(context: Context) -> Aws:
    """The local AWS, asked for objects with no more patience than CloudFront has for a bucket, instead of that of a deployment."""
    from aws.session import Aws
    from local_aws.server import LocalAws

    server = LocalAws.start(context.root / ".local-aws")
    return Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials).impatient()


def _serve(args: argparse.Namespace, context: Context) -> int:
    from preview.server import serve
    from preview.sockets import ADDRESS

    settings, credential = _settings(args, context)

    def ready(preview: Preview, port: int, plain: int | None) -> None:
        site = preview.site
        url = f"{'https' if args.https else 'http'}://{ADDRESS}:{port}{site.entry_path}"
        if credential is not None:
            elsewhere = "the password that was set" if args.local else "the password given on stdin"
            shown = f"password {credential.password}" if credential.generated else elsewhere
            context.say(f"user {credential.username}, {shown}")
        aliases = [alias for d in site.distributions for alias in d.aliases]
        authority = str(settings.authority_file(port)) if settings.authority_file is not None else None
        if authority is not None and aliases:
            alias = f"{aliases[0]}:{port}"
            context.say(f"curl --cacert {authority} --resolve {alias}:{ADDRESS} https://{alias}{site.entry_path}")
        if plain is not None:
            context.say(f"http://{ADDRESS}:{plain} is redirected")
        context.say("Ctrl-C ends it")
        told: dict[str, Any] = {
            "url": url,
            "port": port,
            "http_port": plain,
            "aliases": aliases,
            "notes": list(site.notes),
            "authority": authority,
        }
        context.data(told)
        if args.json:
            context.write_answer("preview", OK, compact=True)
        else:
            context.result(url)

    asyncio.run(serve(settings, ready))
    context.say("preview ended")
    return OK


# --- explaining -----------------------------------------------------------------------------------------------------


def _explain(args: argparse.Namespace, context: Context) -> int:
    from preview.explain import as_json, as_text, explain

    settings, credential = _settings(args, context)
    explained = asyncio.run(explain(settings, args.explain, credential))
    context.answers([as_json(each) for each in explained], "\n\n".join(as_text(each) for each in explained), machine=args.json)
    for each in explained:
        if each.outcome.failure:
            for line in f"error: {each.outcome.failure}".split("\n"):
                context.say(line)
    return OK
