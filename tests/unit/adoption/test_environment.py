"""An environment file that is nearer to what exists, and what it cannot say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from adoption.comparison import Difference
from adoption.environment import HEADERS, Written, _of_difference, merged, read, text, written
from adoption.report import AdoptionReport, Row
from adoption.terraform_types import BUCKET, CERTIFICATE, DISTRIBUTION, RECORD
from environments.loader import load
from templates.values import Known, Redacted
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


RECORDS, ELSEWHERE = (
    "edit environments/dev.yaml: hosted_zone.records: unmanaged, if",
    "edit environments/dev.yaml: bucket: old-site, then build",
)


@pytest.mark.parametrize(
    ("kind", "fate", "command", "said"),
    [
        (CERTIFICATE, "used", "", {("certificate", "arn"): "x"}),
        (CERTIFICATE, "take_over", "", {}),
        (BUCKET, "used", "", {}),
        (RECORD, "refused", RECORDS, {("hosted_zone", "records"): "unmanaged"}),
        (RECORD, "refused", "change its tags", {}),
        (RECORD, "made_new", RECORDS, {}),
        (BUCKET, "refused", RECORDS, {}),
        (DISTRIBUTION, "refused", ELSEWHERE, {("bucket",): "old-site"}),
        (DISTRIBUTION, "refused", "change its tags", {}),
        (DISTRIBUTION, "take_over", ELSEWHERE, {}),
        (BUCKET, "refused", ELSEWHERE, {}),
    ],
)
def test_what_the_fate_of_a_resource_says(kind: str, fate: Any, command: str, said: dict[tuple[str, ...], str]) -> None:
    differs = Difference(path="BucketName", live=Known(text="theirs"), ours=Known(text="ours"))
    row = Row(
        stack="site",
        logical_id="X",
        type=kind,
        identifier={"CertificateArn": "x"},
        source="s",
        account_id="1",
        region="r",
        fate=fate,
        command=command,
        differences=(differs,),
    )
    found = written(AdoptionReport(environment="dev", rows=(row,)))
    assert (dict(found.said), found.unsaid) == (said, ("site.X BucketName",) if fate == "take_over" else ())


def test_a_value_that_is_hidden_or_is_no_number_is_not_said() -> None:
    def said(live: Any, path: str = "AccessControlMaxAgeSec") -> bool:
        whole = f"ResponseHeadersPolicyConfig.SecurityHeadersConfig.StrictTransportSecurity.{path}"
        return _of_difference(HEADERS, Difference(path=whole, live=live, ours=None)) is not None

    assert said(Known(text="1")) and not said(Known(text="a year")) and not said(Redacted()) and not said(None)
    assert not said(Known(text="1"), "Other")


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


def test_the_keys_stay_in_their_order_and_what_is_other_is_told_before_them() -> None:
    report = AdoptionReport(environment="dev", rows=())
    head = "# dev as it exists, by deploy.py adopt: to be read before it takes the place of environments/dev.yaml.\n"
    current = {"zone": "z", "account": "a"}
    assert text(report, current, Written(said={}, unsaid=())) == f"{head}zone: z\naccount: a\n"
    assert text(report, current, Written(said={("bucket",): "b"}, unsaid=("site.X Name",))) == (
        f"{head}# as it is there: bucket\n# what no key can say, so that the plan that aligns changes it:\n#   site.X Name\n"
        "zone: z\naccount: a\nbucket: b\n"
    )
