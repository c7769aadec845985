"""An environment file that is nearer to what exists, and what it cannot say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from adoption.environment import merged, read, text, written
from environments.loader import load
from tests.environments_fixture import ENVIRONMENTS
from tests.unit.adoption.stage import Account, adopted, terraformed


def test_the_file_says_what_the_model_can_and_lists_the_rest() -> None:
    live = terraformed("prod")
    config = live["AWS::CloudFront::Distribution", "E3PRODKIMMYAI3"]["DistributionConfig"]
    config |= {"PriceClass": "PriceClass_200", "DefaultRootObject": "start.html", "HttpVersion": "http2"}
    headers = live["AWS::CloudFront::ResponseHeadersPolicy", "67f7725c-6f97-4210-82d7-5512b31e9d03"]["ResponseHeadersPolicyConfig"]
    strict = {"AccessControlMaxAgeSec": 31536000, "IncludeSubdomains": False, "Preload": False, "Override": True}
    headers["SecurityHeadersConfig"] = {"StrictTransportSecurity": strict, "FrameOptions": {"FrameOption": "SAMEORIGIN", "Override": True}}
    report = adopted("prod", Account(live_properties=live))
    found = written(report)
    assert found.said == {
        ("price_class",): "PriceClass_200",
        ("app", "index_document"): "/start.html",
        ("security_headers", "hsts", "max_age_seconds"): 31536000,
        ("security_headers", "hsts", "include_subdomains"): False,
        ("security_headers", "hsts", "preload"): False,
        ("security_headers", "frame_options"): "SAMEORIGIN",
    }
    assert "site.Distribution DistributionConfig.HttpVersion" in found.unsaid
    told = text(report, {"account_id": "333333333333", "price_class": "PriceClass_All", "app": {"health_path": "/x"}}, found)
    assert "#   site.Distribution DistributionConfig.HttpVersion" in told
    assert yaml.safe_load(told) == {
        "account_id": "333333333333",
        "price_class": "PriceClass_200",
        "app": {"health_path": "/x", "index_document": "/start.html"},
        "security_headers": {
            "hsts": {"max_age_seconds": 31536000, "include_subdomains": False, "preload": False},
            "frame_options": "SAMEORIGIN",
        },
    }


def test_the_old_way_to_the_bucket_and_a_certificate_of_others_are_said() -> None:
    arn = next(key[1] for key in terraformed("dev") if key[0] == "AWS::CertificateManager::Certificate")
    said = written(adopted("dev", Account(live_properties=terraformed("dev"), users={arn: ["distribution/ETHEIRS"]}))).said
    assert said["adopt", "origin_access_identity"] == "E2OAIKIMMYDEV1"
    assert said["certificate", "arn"] == arn


def test_what_is_hidden_is_never_written() -> None:
    for environment in ("dev", "prod"):
        report = adopted(environment, Account(live_properties=terraformed(environment)))
        assert "NOT_TO_BE_SHOWN" not in text(report, {}, written(report))


def test_a_key_below_what_is_no_mapping_takes_its_place_and_the_given_file_stays() -> None:
    current = {"app": "x", "other": {"a": 1}}
    assert merged(current, {("app", "index_document"): "/i"}) == {"app": {"index_document": "/i"}, "other": {"a": 1}}
    assert current == {"app": "x", "other": {"a": 1}}


@pytest.mark.parametrize("data", [b"- a", b"a: [", b"", b"\xff\xfe", b"!!python/object:os.system {}"])
def test_what_is_no_environment_file_is_one_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="no "):
        read(data)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_is_written_is_an_environment_file_that_the_build_takes(environment: str, tmp_path: Path) -> None:
    live = terraformed(environment)
    config = next(body for key, body in live.items() if key[0] == "AWS::CloudFront::Distribution")["DistributionConfig"]
    config |= {"PriceClass": "PriceClass_200", "DefaultRootObject": "start.html"}
    report = adopted(environment, Account(live_properties=live))
    shutil.copytree(ENVIRONMENTS, tmp_path / "environments")
    file = tmp_path / "environments" / f"{environment}.yaml"
    file.write_text(text(report, read(file.read_bytes()), written(report)), encoding="utf-8")
    found = load(tmp_path / "environments", (environment,)).environments[environment]
    assert (found.price_class, found.app.index_document) == ("PriceClass_200", "/start.html")
    if environment == "dev":
        assert found.adopt.origin_access_identity == "E2OAIKIMMYDEV1"
