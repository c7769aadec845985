"""What a built front end consists of: keys, types, cache rules, order, digests, and every reason to refuse it."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.model import CacheRule, SiteContract
from environments.model import PAGE, PLAIN, Publishing
from files.types import content_type
from website.content import (
    Content,
    FileEntry,
    cache_control,
    content_digest,
    key_prefix,
    rank,
    read,
)
from website.errors import SourceError

RULES = tuple(CacheRule(pattern=r.pattern, cache_control=r.cache_control) for r in Publishing().cache_rules)
IMMUTABLE = "public, max-age=31536000, immutable"
CONTRACT = SiteContract(
    domain="dev.example.com",
    entry_path="/buy",
    index_document="/index.html",
    health_path="/healthz",
    basic_auth=False,
    basic_auth_realm="x",
    response_headers={},
    certificate_names=("example.com",),
    minimum_protocol_version="TLSv1.2_2025",
    http_versions=("1.1", "2", "3"),
    cache_rules=RULES,
    release_grace_days=14,
    release_keep=5,
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A page that loads one script."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_text("export default 1;")
    (tmp_path / "index.html").write_text('<!doctype html>\n<script type="module" src="/assets/app-1a2b.js"></script>')
    return tmp_path


def problems(site: Path, contract: SiteContract = CONTRACT, *allow: str) -> str:
    """Why it is refused."""
    with pytest.raises(SourceError) as raised:
        read(site, contract, allow=allow)
    return "\n".join(raised.value.problems)


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a/b.mjs", "text/javascript; charset=utf-8"),
        ("x.js", "text/javascript; charset=utf-8"),
        ("x.css", "text/css; charset=utf-8"),
        ("pkg.wasm", "application/wasm"),
        ("app.webmanifest", "application/manifest+json"),
        ("hero.AVIF", "image/avif"),
        ("i.svg", "image/svg+xml"),
        ("f.woff2", "font/woff2"),
        ("f.ttf", "font/ttf"),
        ("favicon.ico", "image/vnd.microsoft.icon"),
        ("x.js.br", "application/x-brotli"),
        ("x.js.gz", "application/gzip"),
        ("LICENSE", "text/plain; charset=utf-8"),
        ("a.b/noext", "application/octet-stream"),
    ],
)
def test_content_types_do_not_depend_on_the_machine(key: str, wanted: str) -> None:
    assert content_type(key) == wanted


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("index.html", PAGE),
        ("assets/app-1.js", IMMUTABLE),
        ("buy/assets/app-1.js", IMMUTABLE),
        ("assets/app-1.js.br", IMMUTABLE),
        ("index.html.gz", PAGE),
        ("assets/page.html", PAGE),
        ("sw.js", PAGE),
        ("config.json", PAGE),
        ("robots.txt", PLAIN),
    ],
)
def test_the_first_matching_cache_rule_wins(key: str, wanted: str) -> None:
    assert cache_control(key, RULES) == wanted


@pytest.mark.parametrize(("document", "prefix"), [("/index.html", ""), ("/buy/index.html", "buy/"), ("/a/b/index.html", "a/b/")])
def test_keys_begin_where_the_index_document_lies(site: Path, document: str, prefix: str) -> None:
    contract = msgspec.structs.replace(CONTRACT, index_document=document)
    assert key_prefix(contract) == prefix
    (site / "index.html").write_text(f'<script src="/{prefix}assets/app-1a2b.js"></script>')
    assert [e.key for e in read(site, contract).entries] == [f"{prefix}assets/app-1a2b.js", f"{prefix}index.html"]


def test_the_order_is_assets_files_pages_index_service_worker(site: Path) -> None:
    for name in ("about.html", "robots.txt", "sw.js", "config.json"):
        (site / name).write_text("x")
    content = read(site, CONTRACT)
    ordered = [e.key for e in sorted(content.entries, key=lambda e: (rank(e, "index.html"), e.key))]
    assert ordered == ["assets/app-1a2b.js", "config.json", "robots.txt", "about.html", "index.html", "sw.js"]


def test_the_digest_is_what_sha256sum_says_and_is_the_same_in_every_environment(site: Path) -> None:
    other = msgspec.structs.replace(CONTRACT, index_document="/shop/index.html", config_json={"a": "b"}, cache_rules=())
    (site / "index.html").write_text("<p>")
    lines = subprocess.run(
        "find . -type f | sed 's,^./,,' | LC_ALL=C sort | xargs sha256sum", shell=True, cwd=site, capture_output=True, check=True
    )
    assert read(site, CONTRACT).digest == read(site, other).digest == hashlib.sha256(lines.stdout).hexdigest()


def test_the_environments_configuration_takes_the_place_of_the_builds(site: Path) -> None:
    (site / "config.json").write_text('{"api": "of the build"}')
    content: Content = read(site, msgspec.structs.replace(CONTRACT, config_json={"api": "https://api.example"}))
    assert b"https://api.example" in content.generated["config.json"]
    assert "config.json" not in content.files
    assert any("gives way" in note for note in content.notes)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: (d / "index.html").unlink(), "no index.html"),
        (lambda d: (d / ".env").write_text(""), "a dotfile"),
        (lambda d: (d / ".git").mkdir() or (d / ".git" / "config").write_text(""), "a dotfile"),
        (lambda d: (d / "assets" / "app-1a2b.js.map").write_text("{}"), "a source map"),
        (lambda d: (d / "server.pem").write_text(""), "looks like a file with secrets"),
        (lambda d: (d / "id_ecdsa").write_text(""), "looks like a file with secrets"),
        (lambda d: (d / "k.js").write_text("\n-----BEGIN RSA PRIVATE " + "KEY-----"), "k.js:2: holds a private key"),
        (lambda d: (d / "k.js").write_text("AKIA" + "ABCDEFGHIJKLMNOP"), "an AWS access key id"),
        (lambda d: (d / "k.js").write_text("ghp_" + "a" * 36), "a GitHub token"),
        (lambda d: (d / "k.json").write_text("xoxb-" + "1234567890-abcdefghij"), "a Slack token"),
        (lambda d: (d / "k.js").write_text("sk_live_" + "a" * 24), "a Stripe secret key"),
        (lambda d: (d / "k.json").write_text('{"private_key_id": "x"}'), "a Google service account key"),
        (lambda d: (d / "assets" / "app-1a2b.js").unlink(), "index.html:2: loads /assets/app-1a2b.js, which is not there"),
        (lambda d: (d / "a\nb.txt").write_text(""), "control characters"),
        (lambda d: (d / "out").symlink_to("/etc/hostname"), "outside of"),
        (lambda d: (d / "dir").symlink_to("/etc"), "a link to a directory"),
    ],
)
def test_a_source_that_must_not_be_published_is_refused_with_the_reason(site: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(site)
    assert said in problems(site)


def test_all_reasons_are_told_at_once(site: Path) -> None:
    (site / ".env").write_text("")
    (site / "x.map").write_text("")
    (site / "index.html").write_text('<img src="/gone.png">')
    assert len(problems(site).splitlines()) == 3


def test_what_is_allowed_by_name_passes(site: Path) -> None:
    (site / "assets" / "app-1a2b.js.map").write_text("{}")
    (site / ".well-known").mkdir()
    (site / ".well-known" / "security.txt").write_text("")
    assert "a source map" in problems(site)
    found = read(site, CONTRACT, allow=("source-map", "dotfile", "source-map:other/*"))
    assert len(found.entries) == 4
    assert [n for n in found.notes if n.startswith("--allow")] == [
        f"--allow {idle}: there is nothing that it allows" for idle in ("dotfile", "source-map:other/*")
    ]


def test_a_build_for_another_base_path_is_recognised(site: Path) -> None:
    (site / "index.html").write_text('<script src="/shop/assets/app-1a2b.js"></script>')
    assert "built for base /shop/" in problems(site)


_ENTRIES = st.lists(
    st.builds(
        FileEntry,
        key=st.text(min_size=1, max_size=8),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        md5=st.just("0" * 32),
        size=st.integers(0, 9),
        content_type=st.sampled_from(["a", "b"]),
        cache_control=st.sampled_from(["x", "y"]),
    ),
    max_size=6,
    unique_by=lambda e: e.key,
)


@given(_ENTRIES, st.randoms())
def test_the_content_digest_sees_paths_and_bytes_and_nothing_else(entries: list[FileEntry], rng: object) -> None:
    digest = content_digest("", entries)
    shuffled = list(entries)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert content_digest("", shuffled) == digest
    assert content_digest("", [msgspec.structs.replace(e, cache_control="other", content_type="other") for e in entries]) == digest
    if entries:
        assert (
            content_digest("", [msgspec.structs.replace(entries[0], sha256="f" * 63 + "0"), *entries[1:]]) != digest
            or entries[0].sha256 == "f" * 63 + "0"
        )
        assert content_digest("", entries[1:]) != digest
