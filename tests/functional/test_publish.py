"""Publishing to the local AWS through the real command line: what is written, in which order, and what survives being cut off."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from environments.model import PAGE
from tests.functional import frontend
from tests.functional.frontend import Deployed
from tests.functional.harness import TIMEOUT, CommandLine, Ended, answer, eventually
from tests.functional.wire import Call, Exchange, Wire
from website.ledger import Ledger

pytestmark = pytest.mark.functional


@pytest.fixture
def dev(aws: Aws, account: str, tmp_path: Path) -> Deployed:
    """An environment with nothing published to it."""
    return frontend.deployed(aws, tmp_path / "dist", "dev", account)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The built app."""
    return frontend.built(tmp_path / "app")


def publish(command_line: CommandLine, site: Deployed, source: Path | str, *more: str) -> Ended:
    """`deploy.py publish --yes`."""
    return command_line.deploy("publish", "--env", "dev", "--dist", str(site.dist), "--content", str(source), "--yes", *more)


def published(command_line: CommandLine, site: Deployed, source: Path | str, *more: str) -> dict[str, Any]:
    """The same, which must succeed; its JSON."""
    ended = publish(command_line, site, source, "--json", *more)
    assert ended.code == 0, ended
    found: dict[str, Any] = answer(ended.stdout)["outcome"]
    return found


def verb(command_line: CommandLine, site: Deployed, name: str, *more: str) -> Ended:
    """Any other verb of the environment."""
    return command_line.deploy(name, "--env", "dev", "--dist", str(site.dist), *more)


def objects(aws: Aws, site: Deployed) -> dict[str, dict[str, Any]]:
    """Every object of the site bucket with its headers, without the ledger."""
    client = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
    listed = [o["Key"] for o in client.list_objects_v2(Bucket=site.bucket).get("Contents", [])]
    return {key: client.head_object(Bucket=site.bucket, Key=key) for key in listed if not key.startswith(".releases/")}


def ledger(aws: Aws, site: Deployed) -> set[int]:
    """Numbers of the releases that the site bucket has entered."""
    client = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
    return {number for number, _ in Ledger.of("", (o["Key"] for o in client.list_objects_v2(Bucket=site.bucket)["Contents"])).entries}


def body(aws: Aws, site: Deployed, key: str) -> bytes:
    """What visitors get."""
    client = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
    read: bytes = client.get_object(Bucket=site.bucket, Key=key)["Body"].read()
    return read


def once(wire: Wire, matches: Callable[[Call], bool], act: Callable[[Exchange], None]) -> None:
    """Do that at the first PutObject that matches; all others go through."""
    lock = threading.Lock()
    done: list[bool] = []

    def fault(exchange: Exchange) -> None:
        with lock:
            mine = not done and matches(exchange.call)
            if mine:
                done.append(True)
        if mine:
            act(exchange)
        else:
            exchange.send(exchange.forward())

    wire.on("s3", "PutObject", fault, times=1_000_000)


def through(wire: Wire, command_line: CommandLine) -> CommandLine:
    """The same command line with the proxy between."""
    return CommandLine(home=command_line.home, endpoint_url=wire.url, account_id=command_line.account_id)


def test_a_first_publish_puts_every_file_with_its_headers(aws: Aws, dev: Deployed, app: Path, command_line: CommandLine) -> None:
    (app / "sw.js").write_text("self.addEventListener('fetch', () => {});")
    (app / "pkg.wasm").write_bytes(b"\0asm")
    answer = published(command_line, dev, app)
    assert answer["changed"]
    assert answer["release"]["number"] == 1
    there = objects(aws, dev)
    built = {p.relative_to(app).as_posix() for p in app.rglob("*") if p.is_file()}
    assert set(there) - built == frontend.GENERATED and built < set(there)
    immutable = "public, max-age=31536000, immutable"
    for key, head in there.items():
        if key in built:
            assert int(head["ContentLength"]) == (app / key).stat().st_size
        if key.startswith("assets/"):
            assert head["CacheControl"] == immutable, key
    assert (there["index.html"]["CacheControl"], there["index.html"]["ContentType"]) == (PAGE, "text/html; charset=utf-8")
    assert there["sw.js"]["CacheControl"] == PAGE
    assert there["pkg.wasm"]["ContentType"] == "application/wasm"
    assert there["app.webmanifest"]["ContentType"] == "application/manifest+json"
    assert there["favicon.svg"]["ContentType"] == "image/svg+xml"
    assert all("Metadata" not in h or h["Metadata"] == {} for h in there.values())


def test_nothing_changed_writes_nothing_and_asks_little(dev: Deployed, app: Path, command_line: CommandLine, wire: Wire) -> None:
    published(command_line, dev, app)
    for path in app.rglob("*"):
        if path.is_file():
            path.touch()
    calls = len(wire.calls)
    answer = published(through(wire, command_line), dev, app)
    assert not answer["changed"]
    made = [f"{c.service} {c.operation}" for c in wire.calls[calls:]]
    assert sorted(made) == ["s3 GetObject", "s3 HeadObject", "s3 ListObjectsV2"], "at the same time; S3 itself knows whose the buckets are"
    # A setting that botocore has to make sense of: the same answer, and who asks is asked for.
    settled = dataclasses.replace(through(wire, command_line), extra={"AWS_STS_REGIONAL_ENDPOINTS": "regional"})
    calls = len(wire.calls)
    assert published(settled, dev, app) == answer
    assert [c.operation for c in wire.calls[calls:]].count("GetCallerIdentity") == 1


def test_one_changed_route_sends_its_chunks_and_the_page_last(
    aws: Aws, dev: Deployed, app: Path, command_line: CommandLine, wire: Wire
) -> None:
    published(command_line, dev, app)
    before = set(objects(aws, dev))
    fresh = frontend.rebuilt(app, "dearer")
    answer = published(through(wire, command_line), dev, app)
    assert answer["written"] == 3
    assert answer["invalidation"] != "" and answer["live"] is True, "every edge has forgotten the earlier page"
    puts = [c.path for c in wire.calls if c.operation == "PutObject" and f"/{dev.bucket}/" in c.path]
    # The ledger's entry is there before the first file is.
    entered, *puts = puts
    assert "/.releases/2-" in entered
    assert len(puts) == 3
    assert puts[-1].endswith("/index.html")
    assert any(path.endswith(fresh) for path in puts)
    assert before < set(objects(aws, dev)), "an old page still finds its chunks"


def test_a_rename_adds_the_new_name_and_keeps_the_old(aws: Aws, dev: Deployed, app: Path, command_line: CommandLine) -> None:
    published(command_line, dev, app)
    (app / "notes.txt").rename(app / "humans.txt")
    answer = published(command_line, dev, app)
    assert answer["written"] == 1
    assert {"notes.txt", "humans.txt"} <= set(objects(aws, dev))


def test_other_headers_alone_are_sent_again(aws: Aws, dev: Deployed, app: Path, command_line: CommandLine, account: str) -> None:
    published(command_line, dev, app)
    rules = [{"pattern": "notes.txt", "cache_control": "public, max-age=60"}, {"pattern": "*", "cache_control": "no-cache"}]
    synthesis = frontend.synthesised("dev", account, publishing={"cache_rules": rules})
    frontend.write(synthesis, dev.dist)
    dry = publish(command_line, dev, app, "--dry-run")
    assert dry.code == 3, dry
    assert "h notes.txt" in dry.stdout
    published(command_line, dev, app)
    assert objects(aws, dev)["notes.txt"]["CacheControl"] == "public, max-age=60"


def test_a_rollback_restores_every_byte_and_header_without_the_build(
    aws: Aws, dev: Deployed, app: Path, command_line: CommandLine, wire: Wire
) -> None:
    published(command_line, dev, app)
    page, icon = (app / "index.html").read_bytes(), (app / "favicon.svg").read_bytes()
    frontend.rebuilt(app, "second")
    (app / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    published(command_line, dev, app)
    assert body(aws, dev, "index.html") != page
    ended = verb(through(wire, command_line), dev, "rollback-release", "--to", "1", "--yes")
    assert ended.code == 0, ended
    assert body(aws, dev, "index.html") == page
    assert body(aws, dev, "favicon.svg") == icon
    head = objects(aws, dev)["index.html"]
    assert (head["CacheControl"], head["ContentType"]) == (PAGE, "text/html; charset=utf-8")
    assert len(wire.calls) < 25, "a handful of calls, not one for each file"
    listed = answer(verb(command_line, dev, "releases", "--json").stdout)["releases"]
    assert [(r["number"], r["action"]) for r in listed] == [(1, "publish"), (2, "publish"), (3, "rollback")]
    assert listed[2]["manifest"] == listed[0]["manifest"]


def test_prune_removes_what_no_kept_release_needs_and_nothing_else(
    aws: Aws, account: str, tmp_path: Path, app: Path, command_line: CommandLine
) -> None:
    site = frontend.deployed(aws, tmp_path / "dist", "dev", account, publishing={"release_keep": 2, "release_grace_days": 1})
    published(command_line, site, app)
    first = set(objects(aws, site))
    for text in ("second", "third"):
        frontend.rebuilt(app, text)
        published(command_line, site, app)
    client = aws.client("s3", account_id=account, region=site.assembly.home_region)
    client.put_object(Bucket=site.bucket, Key="by-hand.txt", Body=b"mine")
    held = verb(command_line, site, "prune", "--yes")
    assert held.code == 0, held
    assert first <= set(objects(aws, site)), "visitors may still hold the first page"
    frontend.age(aws, site, days=2)
    dry = verb(command_line, site, "prune", "--dry-run")
    assert dry.code == 3, dry
    ended = verb(command_line, site, "prune", "--yes")
    assert ended.code == 0, ended
    left = set(objects(aws, site))
    assert "by-hand.txt" in left
    gone = first - left
    assert len(gone) == 2, gone
    assert all(key.startswith("assets/") for key in gone)
    assert ledger(aws, site) == {2, 3}
    assert verb(command_line, site, "rollback-release", "--to", "2", "--yes").code == 0
    refused = verb(command_line, site, "rollback-release", "--to", "1", "--yes")
    assert refused.code == 1
    assert "pruned" in refused.stderr


KILL_AT: dict[str, Callable[[Call, str], bool]] = {
    "the claim": lambda call, bucket: call.path.endswith("releases.json"),
    "the manifest": lambda call, bucket: "/manifests/" in call.path,
    "a copy for a rollback": lambda call, bucket: "/content/" in call.path,
    "an asset": lambda call, bucket: f"/{bucket}/assets/" in call.path,
    "another file": lambda call, bucket: f"/{bucket}/notes.txt" in call.path,
    "the page": lambda call, bucket: f"/{bucket}/index.html" in call.path,
}


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", KILL_AT)
def test_killed_at_any_step_the_old_site_is_whole_and_the_next_run_completes(
    step: str,
    answered: bool,
    aws: Aws,
    dev: Deployed,
    app: Path,
    command_line: CommandLine,
    wire: Wire,
    processes: list[subprocess.Popen[str]],
) -> None:
    published(command_line, dev, app)
    old_page, old = (app / "index.html").read_bytes(), objects(aws, dev)
    frontend.rebuilt(app, step)
    (app / "notes.txt").write_text("User-agent: *\nDisallow:\n")
    victim: list[subprocess.Popen[str]] = []

    def kill(exchange: Exchange) -> None:
        if answered:
            exchange.forward()
        eventually(lambda: victim)[0].kill()
        victim[0].wait()
        exchange.drop()

    once(wire, lambda call: KILL_AT[step](call, dev.bucket), kill)
    arguments = ("publish", "--env", "dev", "--dist", str(dev.dist), "--content", str(app), "--yes")
    process = through(wire, command_line).start("deploy.py", *arguments)
    victim.append(process)
    processes.append(process)
    process.wait(timeout=TIMEOUT)
    assert process.returncode == -9
    now = objects(aws, dev)
    page = body(aws, dev, "index.html")
    if not (step == "the page" and answered):
        assert page == old_page
    assert set(old) <= set(now)
    for key in old:
        if key.startswith("assets/"):
            assert now[key]["ETag"] == old[key]["ETag"]
    answer = published(command_line, dev, app)
    assert answer["release"]["number"] == 2
    assert body(aws, dev, "index.html") == (app / "index.html").read_bytes()
    assert body(aws, dev, "notes.txt") == (app / "notes.txt").read_bytes()
    assert not published(command_line, dev, app)["changed"]


def test_what_a_publish_that_was_cut_off_has_overwritten_is_forgotten_by_the_next(
    aws: Aws, dev: Deployed, app: Path, command_line: CommandLine, wire: Wire, processes: list[subprocess.Popen[str]]
) -> None:
    (app / "assets" / "logo.svg").write_text("<svg/>")
    published(command_line, dev, app)
    (app / "assets" / "logo.svg").write_text("<svg></svg>")
    (app / "notes.txt").write_text("User-agent: *\n")
    victim: list[subprocess.Popen[str]] = []

    def kill(exchange: Exchange) -> None:
        eventually(lambda: victim)[0].kill()
        victim[0].wait()
        exchange.drop()

    once(wire, lambda call: KILL_AT["another file"](call, dev.bucket), kill)
    process = through(wire, command_line).start(
        "deploy.py", "publish", "--env", "dev", "--dist", str(dev.dist), "--content", str(app), "--yes"
    )
    victim.append(process)
    processes.append(process)
    process.wait(timeout=TIMEOUT)
    assert body(aws, dev, "assets/logo.svg") == b"<svg></svg>"
    answer = published(command_line, dev, app)
    assert (answer["written"], answer["invalidation_done"]) == (1, True)
    assert answer["invalidation"]


def test_of_two_at_once_one_wins_and_the_other_is_told_who(
    dev: Deployed, app: Path, tmp_path: Path, command_line: CommandLine, wire: Wire
) -> None:
    published(command_line, dev, app)
    other = frontend.built(tmp_path / "other")
    frontend.rebuilt(app, "mine")
    frontend.rebuilt(other, "theirs")
    loser: list[Ended] = []

    def meanwhile(exchange: Exchange) -> None:
        loser.append(publish(command_line, dev, other))
        exchange.send(exchange.forward())

    once(wire, lambda call: f"/{dev.bucket}/assets/" in call.path, meanwhile)
    winner = publish(through(wire, command_line), dev, app, "--json")
    assert winner.code == 0, winner
    assert loser[0].code == 1
    assert "began a publish" in loser[0].stderr
    assert dev.assembly.account_id in loser[0].stderr
    assert published(command_line, dev, other)["release"]["number"] == 3


def test_a_publish_that_was_overtaken_between_looking_and_claiming_is_told_who_won(
    aws: Aws, dev: Deployed, app: Path, tmp_path: Path, command_line: CommandLine, wire: Wire
) -> None:
    other = frontend.built(tmp_path / "other")
    frontend.rebuilt(other, "theirs")

    def meanwhile(exchange: Exchange) -> None:
        assert publish(command_line, dev, other).code == 0
        exchange.send(exchange.forward())

    once(wire, lambda call: call.path.endswith("releases.json"), meanwhile)
    ended = publish(through(wire, command_line), dev, app)
    assert ended.code == 1, ended
    assert "was first: release 1" in ended.stderr
    assert body(aws, dev, "index.html") == (other / "index.html").read_bytes()


def test_a_page_that_somebody_wrote_meanwhile_is_left_alone(
    aws: Aws, dev: Deployed, app: Path, command_line: CommandLine, wire: Wire
) -> None:
    published(command_line, dev, app)
    frontend.rebuilt(app, "mine")
    client = aws.client("s3", account_id=dev.assembly.account_id, region=dev.assembly.home_region)

    def meanwhile(exchange: Exchange) -> None:
        client.put_object(Bucket=dev.bucket, Key="index.html", Body=b"by hand")
        exchange.send(exchange.forward())

    once(wire, lambda call: call.path.endswith(f"/{dev.bucket}/index.html"), meanwhile)
    ended = publish(through(wire, command_line), dev, app)
    assert ended.code == 1, ended
    assert "somebody else" in ended.stderr
    assert body(aws, dev, "index.html") == b"by hand"


def test_five_thousand_files(aws: Aws, dev: Deployed, tmp_path: Path, command_line: CommandLine) -> None:
    site = frontend.many(tmp_path / "many", 5000)
    answer = published(command_line, dev, site)
    assert answer["written"] == 5000 + len(frontend.GENERATED)
    assert not published(command_line, dev, site)["changed"]


def test_an_overwritten_file_on_a_cached_path_is_invalidated_and_waited_for(
    aws: Aws, dev: Deployed, app: Path, command_line: CommandLine
) -> None:
    (app / "assets" / "logo.svg").write_text("<svg/>")
    published(command_line, dev, app)
    (app / "assets" / "logo.svg").write_text("<svg></svg>")
    ended = publish(command_line, dev, app)
    assert ended.code == 0, ended
    assert "immutable but has new content" in ended.stderr
    client = aws.client("cloudfront", account_id=dev.assembly.account_id, region="us-east-1")
    made = client.list_invalidations(DistributionId=dev.outputs["DistributionId"])["InvalidationList"]["Items"]
    assert len(made) == 1
    batch = client.get_invalidation(DistributionId=dev.outputs["DistributionId"], Id=made[0]["Id"])["Invalidation"]["InvalidationBatch"]
    assert batch["Paths"]["Items"] == ["/assets/logo.svg"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda app: (app / "index.html").unlink(), "no index.html"),
        (lambda app: (app / ".env").write_text("A=1"), "a dotfile"),
        (lambda app: (app / "assets" / "index.js.map").write_text("{}"), "a source map"),
        (lambda app: (app / "assets" / "x.js").write_text("key='AKIA" + "ABCDEFGHIJKLMNOP'"), "an AWS access key id"),
        (lambda app: next((app / "assets").glob("index-*.js")).unlink(), "which is not there"),
    ],
)
def test_a_bad_source_is_refused_before_anything_is_written(
    spoil: Callable[[Path], object], said: str, aws: Aws, dev: Deployed, app: Path, command_line: CommandLine
) -> None:
    spoil(app)
    ended = publish(command_line, dev, app)
    assert ended.code == 2, ended
    assert said in ended.stderr
    assert objects(aws, dev) == {}


def test_without_stacks_the_next_command_is_apply(aws: Aws, account: str, app: Path, tmp_path: Path, command_line: CommandLine) -> None:
    synthesis = frontend.synthesised("dev", account)
    frontend.write(synthesis, tmp_path / "dist")
    arguments = ("publish", "--env", "dev", "--dist", str(tmp_path / "dist"), "--content", str(app), "--yes")
    ended = command_line.deploy(*arguments)
    assert ended.code == 1, ended
    assert "deploy.py apply --env dev" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_who_is_told_to_end_lets_the_next_machine_begin_at_once(
    aws: Aws,
    dev: Deployed,
    app: Path,
    command_line: CommandLine,
    wire: Wire,
    processes: list[subprocess.Popen[str]],
    number: signal.Signals,
) -> None:
    published(command_line, dev, app)
    frontend.rebuilt(app, "ended")
    go = threading.Event()
    victim: list[subprocess.Popen[str]] = []

    def end(exchange: Exchange) -> None:
        eventually(lambda: victim)[0].send_signal(number)
        go.wait(0.5)
        exchange.send(exchange.forward())

    once(wire, lambda call: KILL_AT["an asset"](call, dev.bucket), end)
    arguments = ("publish", "--env", "dev", "--dist", str(dev.dist), "--content", str(app), "--yes")
    process = through(wire, command_line).start("deploy.py", *arguments)
    victim.append(process)
    processes.append(process)
    _, stderr = process.communicate()
    assert (process.returncode, "Traceback" in stderr) == (130, False), stderr
    state, _ = frontend.site_of(aws, dev).store.state()
    assert state.claim is None
    assert len(state.unfinished) == 1
    assert "content: what was given up at " in command_line.deploy("status", "--env", "dev", "--dist", str(dev.dist)).stdout
    assert published(command_line, dev, app)["release"]["number"] == 2
    assert frontend.site_of(aws, dev).store.state()[0].unfinished == {}
