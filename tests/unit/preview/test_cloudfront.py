"""One request through behaviours, cache, bucket and back, as the templates have it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.model import PAGE
from preview.cloudfront.behaviors import matches
from preview.cloudfront.compression import accepted_encodings
from preview.content import Object, Unreachable
from preview.interpreter.policies import MANAGED_CACHE_POLICIES
from preview.messages import Headers, Request, Response
from preview.model import Site
from preview.s3 import ranged
from templates.policies import statements
from tests.environments_fixture import RECOVERY
from tests.unit.preview.site import HOSTS, MODIFIED, PASSWORD, Files, ask, distribution, files, function_code, get, one, site

SCRIPT = "/assets/app-1a2b3c4d.js"
BR: Headers = (("Accept-Encoding", "gzip, deflate, br"),)
OPTIMIZED = next(policy for policy in MANAGED_CACHE_POLICIES.values() if policy.name == "Managed-CachingOptimized")


def prod(edit: Callable[[dict[str, Any]], None] | None = None, changes: dict[str, Any] | None = None) -> Site:
    """prod with an edited DistributionConfig."""
    return site("prod", changes, site=distribution(edit or (lambda config: None)))


def _behavior(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["DefaultCacheBehavior"].update(values)


# --- choosing ---------------------------------------------------------------------------------------------------------


def test_the_host_decides() -> None:
    hosts = [
        HOSTS["prod"],
        f"{HOSTS['prod']}:8443",
        HOSTS["prod"].upper(),
        "localhost:8080",
        "127.0.0.1",
        prod().distributions[0].domain_name,
    ]
    assert [response.status for response in ask(prod(), *(get("/buy", host) for host in hosts)).responses] == [200] * len(hosts)
    refused = one(prod(), get("/buy", "evil.example.com"))
    assert refused.response.status == 403
    assert b"no distribution answers for &#x27;evil.example.com&#x27;; there are kimmyai.io" in refused.response.body


@pytest.mark.parametrize(
    ("pattern", "uri", "expected"),
    [
        ("assets/*", "/assets/a.js", True),
        ("/assets/*", "/assets/", True),
        ("assets/*", "/Assets/a.js", False),
        ("*.js", "/a/b.js", True),
        ("*.js", "/a/b.jsx", False),
        ("a?c", "/abc", True),
        ("a?c", "/ac", False),
        ("[ab]", "/a", False),
        ("*", "/", True),
    ],
)
def test_path_patterns(pattern: str, uri: str, expected: bool) -> None:
    assert matches(pattern, uri) is expected


@given(st.text("ab/*?.", max_size=8), st.text("ab/.", max_size=8))
def test_path_patterns_agree_with_their_definition(pattern: str, path: str) -> None:
    def by_definition(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return by_definition(p[1:], t) or (bool(t) and by_definition(p, t[1:]))
        return bool(t) and p[0] in ("?", t[0]) and by_definition(p[1:], t[1:])

    assert matches(pattern, path) is by_definition(pattern.removeprefix("/"), path.removeprefix("/"))


def test_plain_http_is_redirected_with_path_and_query() -> None:
    for method, status in (("GET", 301), ("HEAD", 301), ("POST", 307)):
        response = one(prod(), get("/buy/x?a=1", HOSTS["prod"], method=method), https=False).response
        assert (response.status, response.get("location")) == (status, "https://kimmyai.io/buy/x?a=1")
        assert response.get("x-cache") == "Redirect from cloudfront"


@pytest.mark.parametrize(("policy", "status"), [("allow-all", 200), ("https-only", 403), ("redirect-to-https", 301)])
def test_the_viewer_protocol_policy_of_the_template_counts(policy: str, status: int) -> None:
    assert one(prod(_behavior(ViewerProtocolPolicy=policy)), get("/buy"), https=False).response.status == status


def test_the_allowed_methods_of_the_template_count() -> None:
    assert [r.status for r in ask(prod(), *(get("/buy", method=m) for m in ("GET", "HEAD", "POST", "DELETE", "BREW"))).responses] == [
        *(200, 200, 403, 403, 403)
    ]
    wide = prod(_behavior(AllowedMethods=["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]))
    put = one(wide, get("/buy", method="PUT"))
    assert put.response.status == 403
    assert next(step for step in put.steps if step.stage == "origin").text.startswith(
        "site: 403, no statement of the bucket policy allows s3:PutObject"
    )


def test_the_answer_to_head_has_the_length_and_no_body() -> None:
    asked = ask(prod(), get("/robots.txt"), get("/robots.txt", method="HEAD"))
    assert asked.responses[1].body == b""
    assert asked.responses[1].get("content-length") == str(len(asked.responses[0].body))


# --- bucket -----------------------------------------------------------------------------------------------------------


def _without_listing(template: dict[str, Any]) -> None:
    document = template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    document["Statement"] = [s for s in document["Statement"] if s["Action"] != ["s3:ListBucket"]]


def _without_policy(template: dict[str, Any]) -> None:
    del template["Resources"]["BucketPolicy"]


def _other_source(template: dict[str, Any]) -> None:
    for statement in template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Allow":
            statement["Condition"] = {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::333333333333:distribution/OTHER"}}


def test_a_missing_key_is_a_404_or_a_403_as_the_bucket_policy_says() -> None:
    missing = get("/assets/gone.js")
    with_listing, without = one(prod(), missing).response, one(site("prod", site=_without_listing), missing).response
    assert (with_listing.status, b"<title>not found" in with_listing.body) == (404, True)
    assert (without.status, b"<title>error" in without.body) == (403, True)


@pytest.mark.parametrize("edit", [_without_policy, _other_source])
def test_a_bucket_that_does_not_let_the_distribution_in_answers_403(edit: Callable[[dict[str, Any]], None]) -> None:
    outcome = one(site("prod", site=edit), get("/robots.txt"))
    assert outcome.response.status == 403
    assert "polic" in next(step.text for step in outcome.steps if step.stage == "origin")


def test_an_unsigned_origin_is_refused() -> None:
    def edit(config: dict[str, Any]) -> None:
        del config["Origins"][0]["OriginAccessControlId"]

    assert one(prod(edit), get("/robots.txt")).response.status == 403


def test_a_bucket_that_does_not_answer_is_a_502_that_says_so() -> None:
    class Gone(Files):
        async def get(self, bucket: str, key: str) -> Object | None:
            raise Unreachable("connection refused")

    response = one(prod(), get("/robots.txt"), content=Gone({})).response
    assert (response.status, b"connection refused" in response.body) == (502, True)


def test_keys_are_decoded_once_and_are_never_paths() -> None:
    content = files()
    content.files |= {"a b.txt": b"1", "ü.txt": b"2", "a%20b.txt": b"3", "../x.txt": b"no"}
    paths = ["/a%20b.txt", "/%C3%BC.txt", "/a%2520b.txt", "/%2e%2e/x.txt", "//robots.txt", "/%00"]
    found = ask(prod(), *map(get, paths), content=content).responses
    assert [(r.status, r.body[:1]) for r in found[:3]] == [(200, b"1"), (200, b"2"), (200, b"3")]
    assert {r.status for r in found[3:]} <= {400, 404}


def test_a_plus_in_a_path_is_a_space_to_s3() -> None:
    content = files()
    content.files |= {"a b.txt": b"space", "c+d.txt": b"plus"}
    found = ask(prod(), *map(get, ["/a+b.txt", "/c+d.txt", "/c%2Bd.txt"]), content=content).responses
    assert [(r.status, r.body) for r in (found[0], found[2])] == [(200, b"space"), (200, b"plus")]
    assert found[1].status != 200


def test_options_is_answered_by_s3_without_cors() -> None:
    assert one(prod(), get("/robots.txt", method="OPTIONS")).response.status == 403


def test_an_origin_path_and_the_default_root_object_of_the_template_count() -> None:
    content = files()
    content.files |= {"v2/start.html": b"start"}

    def edit(config: dict[str, Any]) -> None:
        config["Origins"][0]["OriginPath"] = "/v2"
        config["DefaultRootObject"] = "start.html"
        del config["DefaultCacheBehavior"]["FunctionAssociations"]

    assert one(prod(edit), get("/"), content=content).response.body == b"start"


def test_without_a_default_root_object_the_root_is_a_listing() -> None:
    def edit(config: dict[str, Any]) -> None:
        del config["DefaultRootObject"]
        del config["DefaultCacheBehavior"]["FunctionAssociations"]

    response = one(prod(edit), get("/")).response
    assert response.status == 200
    assert b"<ListBucketResult" in response.body
    assert b"<Key>robots.txt</Key>" in response.body


def test_a_custom_error_response_of_the_template_counts() -> None:
    def edit(config: dict[str, Any]) -> None:
        config["CustomErrorResponses"] = [{"ErrorCode": 404, "ResponseCode": 200, "ResponsePagePath": "/index.html"}]

    outcome = one(prod(edit), get("/assets/gone.js"))
    assert outcome.response.status == 200
    assert outcome.response.body.startswith(b"<!doctype html>")
    assert "404 becomes 200 with /index.html" in [step.text for step in outcome.steps]


def test_the_second_origin_is_asked_for_the_codes_of_the_group() -> None:
    def edit(config: dict[str, Any]) -> None:
        config["Origins"][0]["DomainName"] = "nowhere.example.com"

    outcome = one(prod(edit, RECOVERY), get("/robots.txt"))
    assert outcome.response.status == 200
    assert "site answered 502, so replica is asked" in [step.text for step in outcome.steps]


def test_a_bucket_whose_policy_denies_cloudfront_by_now_is_answered_for_by_the_replica() -> None:
    made, content = prod(None, RECOVERY), files()
    (front,) = made.distributions
    bucket = front.origins["site"].bucket
    assert bucket is not None
    deny = {
        "Effect": "Deny",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"{bucket.arn}/*",
    }
    content.denied[bucket.name] = tuple(statements({"Statement": [deny]}))
    outcome = one(made, get("/robots.txt"), content=content)
    assert outcome.response.status == 200
    assert "site answered 403, so replica is asked" in [step.text for step in outcome.steps]


# --- cache, compression, headers ------------------------------------------------------------------------------------------


def test_what_the_template_caches_is_cached_and_so_is_the_page() -> None:
    content = files()
    asked = ask(prod(), get(SCRIPT), 5, get(SCRIPT), get("/buy"), get("/buy"), get(SCRIPT, headers=BR), content=content)
    marks = [response.get("x-cache") for response in asked.responses]
    assert marks == [f"{mark} from cloudfront" for mark in ("Miss", "Hit", "Miss", "Hit", "Miss")]
    assert asked.responses[1].get("age") == "5"
    assert [key for _, key in content.asked].count("assets/app-1a2b3c4d.js") == 2, "another encoding is another object in the cache"


def test_errors_are_cached_for_ten_seconds() -> None:
    gone = get("/assets/gone.js")
    asked = ask(prod(), gone, 9, gone, 2, gone)
    assert [r.status for r in asked.responses] == [404] * 3
    assert [step.text for outcome in asked.outcomes for step in outcome.steps if step.stage == "cache"][2].startswith("hit, 9 s old")
    assert not any(step.text.startswith("hit") for step in asked.outcomes[2].steps)


def test_the_query_is_no_part_of_the_key_of_the_managed_policy() -> None:
    asked = ask(prod(), get(f"{SCRIPT}?a=1"), get(f"{SCRIPT}?a=2"))
    assert asked.responses[1].get("x-cache") == "Hit from cloudfront"


def test_a_cache_policy_of_the_template_counts() -> None:
    key = {
        "EnableAcceptEncodingGzip": False,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["X-Shop"]},
        "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": ["v"]},
        "CookiesConfig": {"CookieBehavior": "allExcept", "Cookies": ["seen"]},
    }

    def edit(template: dict[str, Any]) -> None:
        policy = {"Name": "own", "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 60, "ParametersInCacheKeyAndForwardedToOrigin": key}
        template["Resources"]["Own"] = {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": policy}}
        config = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
        config["CacheBehaviors"][0]["CachePolicyId"] = {"Ref": "Own"}

    requests: list[Request | float] = [
        get(f"{SCRIPT}?v=1&w=1"),
        get(f"{SCRIPT}?v=1&w=2"),
        get(f"{SCRIPT}?v=2"),
        get(f"{SCRIPT}?v=2", headers=(("X-Shop", "a"),)),
        get(f"{SCRIPT}?v=2", headers=(("Cookie", "seen=1"),)),
        get(f"{SCRIPT}?v=2", headers=(("Cookie", "seen=1; user=2"),)),
        61,
        get(f"{SCRIPT}?v=2"),
    ]
    asked = ask(site("prod", site=edit), *requests)
    marks = [(response.get("x-cache") or "").split()[0] for response in asked.responses]
    assert marks == ["Miss", "Hit", "Miss", "Miss", "Hit", "Miss", "RefreshHit"]


@pytest.mark.parametrize(
    ("path", "accept", "encoding"),
    [
        (SCRIPT, "gzip, deflate, br", "br"),
        (SCRIPT, "gzip", "gzip"),
        (SCRIPT, "br;q=0, gzip;q=0.5", "gzip"),
        (SCRIPT, "*", "br"),
        (SCRIPT, "identity", None),
        (SCRIPT, None, None),
        ("/assets/photo.jpg", "br", None),
        ("/buy", "br", "br"),
        ("/robots.txt", "br", None),
    ],
)
def test_compression(path: str, accept: str | None, encoding: str | None) -> None:
    plain, asked = ask(prod(), get(path), get(path, headers=(("Accept-Encoding", accept),) if accept else ())).responses
    assert asked.get("content-encoding") == encoding
    decoded = {"br": brotli.decompress, "gzip": gzip.decompress}.get(encoding or "", bytes)(asked.body)
    assert decoded == plain.body
    etag = plain.get("etag") or ""
    assert asked.get("etag") == (f"W/{etag}" if encoding else etag)


def test_what_is_never_kept_is_not_compressed_either() -> None:
    def edit(template: dict[str, Any]) -> None:
        key = {"EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True}
        policy = {"Name": "own", "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0, "ParametersInCacheKeyAndForwardedToOrigin": key}
        template["Resources"]["Own"] = {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": policy}}
        template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"][0]["CachePolicyId"] = {"Ref": "Own"}

    assert one(site("prod", site=edit), get(SCRIPT, headers=BR)).response.get("content-encoding") is None


@given(st.text(max_size=30))
def test_any_accept_encoding_is_understood_or_ignored(text: str) -> None:
    assert set(accepted_encodings(OPTIMIZED, text)) <= {"br", "gzip"}


def test_the_headers_policy_is_on_what_comes_from_the_bucket_and_not_on_what_a_function_made() -> None:
    dev = site("dev")
    refused, page, missing = ask(dev, get("/buy"), get("/buy", password=PASSWORD), get("/assets/gone.js", password=PASSWORD)).responses
    for response in (page, missing):
        assert "frame-ancestors 'none'" in (response.get("content-security-policy") or "")
        assert response.get("x-frame-options") == "DENY"
        assert response.get("x-robots-tag") == "noindex, nofollow"
    assert refused.get("x-frame-options") is None


def test_override_and_removal_of_the_headers_policy() -> None:
    def edit(template: dict[str, Any]) -> None:
        config = template["Resources"]["ResponseHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"]
        config["CustomHeadersConfig"]["Items"] = [
            {"Header": "Cache-Control", "Value": "no-store", "Override": False},
            {"Header": "ETag", "Value": '"own"', "Override": True},
            {"Header": "X-New", "Value": "1", "Override": False},
        ]
        config["RemoveHeadersConfig"] = {"Items": [{"Header": "Last-Modified"}]}

    response = one(site("prod", site=edit), get("/buy")).response
    assert [response.get(name) for name in ("cache-control", "etag", "x-new", "last-modified")] == [PAGE, '"own"', "1", None]


def test_a_viewer_response_function_changes_headers_and_does_not_run_for_errors() -> None:
    code = """function handler(event) {
      if (event.context.eventType === 'viewer-request') { return event.request; }
      event.response.headers['x-seen'] = {value: event.response.headers['x-frame-options'].value};
      return event.response;
    }"""

    def edit(template: dict[str, Any]) -> None:
        function_code(code)(template)
        for behavior in (
            template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"],
            *template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"],
        ):
            behavior["FunctionAssociations"].append({**behavior["FunctionAssociations"][0], "EventType": "viewer-response"})

    found, gone = ask(site("prod", site=edit), get("/robots.txt"), get("/assets/gone.js")).responses
    assert (found.status, found.get("x-seen")) == (200, "DENY")
    assert (gone.status, gone.get("x-seen")) == (404, None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((("If-None-Match", f'"{14:032x}"'),), 304),
        ((("If-None-Match", f'"x", W/"{14:032x}"'),), 304),
        ((("If-None-Match", "*"),), 304),
        ((("If-None-Match", '"x"'),), 200),
        ((("If-None-Match", '"x"'), ("If-Modified-Since", f"{MODIFIED:%a, %d %b %Y %H:%M:%S GMT}")), 200),
        ((("If-Modified-Since", f"{MODIFIED:%a, %d %b %Y %H:%M:%S GMT}"),), 304),
        ((("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT"),), 200),
        ((("If-Modified-Since", "yesterday"),), 200),
    ],
)
def test_conditional_requests(headers: Headers, status: int) -> None:
    response = one(prod(), get("/robots.txt", headers=headers)).response
    assert response.status == status
    assert (response.body == b"") is (status == 304)
    assert response.get("x-frame-options") == "DENY"


@pytest.mark.parametrize(
    ("wanted", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"User", "bytes 0-3/14"),
        ("bytes=-3", 206, b" *\n", "bytes 11-13/14"),
        ("bytes=10-", 206, b": *\n", "bytes 10-13/14"),
        ("bytes=5-99", 206, b"agent: *\n", "bytes 5-13/14"),
        ("bytes=14-", 416, b"", "bytes */14"),
        ("bytes=0-1,3-4", 200, b"User-agent: *\n", None),
        ("lines=1-2", 200, b"User-agent: *\n", None),
        ("bytes=-", 200, b"User-agent: *\n", None),
    ],
)
def test_ranges(wanted: str, status: int, body: bytes, content_range: str | None) -> None:
    response = one(prod(), get("/robots.txt", headers=(("Range", wanted),))).response
    assert (response.status, response.body, response.get("content-range")) == (status, body, content_range)


@given(st.integers(0, 40), st.integers(0, 40), st.binary(max_size=30))
def test_a_range_is_that_part_of_the_whole(start: int, length: int, body: bytes) -> None:
    response = ranged(get("/", headers=(("Range", f"bytes={start}-{start + length}"),)), Response(status=200, body=body))
    assert response.status == (206 if start < len(body) else 416)
    assert response.body == body[start : start + length + 1]


def test_every_step_is_told() -> None:
    stages = [step.stage for step in one(prod(), get(SCRIPT, headers=BR)).steps]
    assert stages == ["host", "behavior", "viewer-request", "cache", "origin", "compression", "cache", "response headers policy"]
