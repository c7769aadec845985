"""Whoever has put something in AWS's place is told so."""

from __future__ import annotations

from typing import Any

import pytest

from guards.endpoints import emulated_here, overridden

CONFIG: dict[str, Any] = {
    "profiles": {
        "default": {},
        "plain": {"endpoint_url": "https://aws.example"},
        "fine": {"services": "mine"},
        "deaf": {"endpoint_url": "https://aws.example", "ignore_configured_endpoint_urls": "true"},
    },
    "services": {"mine": {"s3": {"endpoint_url": "http://127.0.0.1:9000"}, "sts": {"region": "x"}}},
}


@pytest.mark.parametrize(
    ("environ", "profile", "told"),
    [
        ({}, None, ()),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, None, ("AWS_ENDPOINT_URL leads to http://127.0.0.1:4566",)),
        ({"AWS_ENDPOINT_URL": ""}, None, ()),
        ({"AWS_ENDPOINT_URL_STS": "https://user:word@sts.example/x"}, None, ("AWS_ENDPOINT_URL_STS leads to https://sts.example",)),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}, None, ()),
        ({"AWS_ENDPOINT_URL": "nonsense"}, None, ("AWS_ENDPOINT_URL leads to what is no URL",)),
        ({"AWS_ENDPOINT_URL": "http://[nonsense"}, None, ("AWS_ENDPOINT_URL leads to what is no URL",)),
        ({}, "plain", ("endpoint_url of the profile leads to https://aws.example",)),
        ({"AWS_PROFILE": "plain"}, None, ("endpoint_url of the profile leads to https://aws.example",)),
        ({}, "fine", ("endpoint_url of s3 in the profile's services leads to http://127.0.0.1:9000",)),
        ({}, "deaf", ()),
        ({}, "unknown", ()),
    ],
)
def test_overrides_are_named_with_the_place_they_lead_to(environ: dict[str, str], profile: str | None, told: tuple[str, ...]) -> None:
    assert overridden(environ, CONFIG, profile) == told


@pytest.mark.parametrize(
    ("environ", "profile", "here"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, None, True),
        ({"AWS_ENDPOINT_URL": "http://localhost:4566/"}, "unknown", True),
        ({"AWS_ENDPOINT_URL": "http://[::1]:4566"}, None, True),
        ({"AWS_ENDPOINT_URL": "http://localhost.example:4566"}, None, False),
        ({"AWS_ENDPOINT_URL": "http://[nonsense"}, None, False),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_CLOUDFORMATION": "https://a.example"}, None, False),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "plain", False),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, None, False),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000"}, None, False),
        ({}, None, False),
    ],
)
def test_only_one_endpoint_on_this_machine_for_every_service_is_an_emulator(
    environ: dict[str, str], profile: str | None, here: bool
) -> None:
    """It is polled more often, which AWS would refuse."""
    assert emulated_here(environ, CONFIG, profile) == here


@pytest.mark.parametrize(
    ("environ", "profile", "host"),
    [
        ({}, None, "default"),
        ({"AWS_DEFAULT_PROFILE": "second"}, None, "second"),
        ({"AWS_DEFAULT_PROFILE": "second", "AWS_PROFILE": "first"}, None, "first"),
        ({"AWS_DEFAULT_PROFILE": "second", "AWS_PROFILE": "first"}, "asked", "asked"),
    ],
)
def test_the_profile_is_the_one_that_botocore_takes(environ: dict[str, str], profile: str | None, host: str) -> None:
    config = {"profiles": {name: {"endpoint_url": f"http://{name}"} for name in ("default", "first", "second", "asked")}}
    assert overridden(environ, config, profile) == (f"endpoint_url of the profile leads to http://{host}",)


def test_a_line_in_the_services_that_is_no_section_is_none() -> None:
    config = {"profiles": {"default": {"services": "mine"}}, "services": {"mine": {"endpoint_url": "http://a"}}}
    assert overridden({}, config, None) == ()
