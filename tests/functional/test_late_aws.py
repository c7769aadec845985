"""The life of a small platform in which what is made here is used there, against a late AWS; `make late` has the real one."""

from __future__ import annotations

import io
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly.model import RoleName
from cli.main import main
from local_aws.server import LocalAws
from session.context import Context
from tests.functional.harness import TIMEOUT, CommandLine, heard
from tests.functional.small_platform import ENV, Platform, base, parameter
from tests.simulated import Small, literal, output, small_assembly, stackset

pytestmark = pytest.mark.functional

ACCOUNT = "500000000001"
SEEDS = tuple(str(number) for number in range(1, int(os.environ.get("LATE_SEEDS", "1")) + 1))
"""More of them at night: `make late`."""
CODE = "exports.handler = async (event) => event.Records[0].cf.request;"


def role(name: str, **principal: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": {"Statement": [statement]}}}


ROLES = {
    "Service": role("cfn", Service="cloudformation.amazonaws.com"),
    "Administration": role("admin", Service="cloudformation.amazonaws.com"),
    "Execution": role("execution", AWS={"Fn::GetAtt": ["Administration", "Arn"]}),
}


def write(platform: Platform, value: str) -> None:
    """A base with roles, bucket and table; a certificate and a function that a distribution of another stack uses; a StackSet."""
    named = {"capabilities": ("CAPABILITY_NAMED_IAM",)}
    by_role = {"service_role": RoleName(name="cfn")}
    code = {
        "Resources": {
            "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "example.org"}},
            "Role": role("edge", Service="lambda.amazonaws.com"),
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "edge",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "nodejs22.x",
                    "Handler": "index.handler",
                    "Code": {"ZipFile": CODE},
                },
            },
            "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        },
        "Outputs": {"Version": {"Value": {"Ref": "Version"}}, "Certificate": {"Value": {"Ref": "Certificate"}}},
    }
    behaviour = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "LambdaFunctionAssociations": [{"EventType": "viewer-request", "LambdaFunctionARN": {"Ref": "Version"}}],
    }
    config = {
        "Enabled": True,
        "Comment": {"Ref": "Value"},
        "Origins": [{"Id": "o", "DomainName": "b.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        "DefaultCacheBehavior": behaviour,
        "ViewerCertificate": {"AcmCertificateArn": {"Ref": "Certificate"}, "SslSupportMethod": "sni-only"},
    }
    site = {
        "Parameters": {name: {"Type": "String"} for name in ("Value", "Version", "Certificate")},
        "Resources": {"Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}},
        "Outputs": {"Id": {"Value": {"Ref": "Distribution"}}},
    }
    values = {"Resources": {"Set": parameter("/demo/set", value)}}
    after = {"Parameters": {"Id": {"Type": "String"}}, "Resources": {"After": parameter("/demo/after", {"Ref": "Id"})}}
    assembly, templates = small_assembly(
        Small(id="base", template=base(platform.account, **ROLES), more=named),
        Small(id="code", template=code, region="us-east-1", depends_on=("base",), more={**named, **by_role}),
        Small(
            id="site",
            template=site,
            parameters=(literal("Value", value), output("Version", "code", "Version"), output("Certificate", "code", "Certificate")),
            depends_on=("base", "code"),
            more=by_role,
        ),
        Small(
            id="set",
            template=values,
            depends_on=("base",),
            more={"stackset": stackset("us-east-1", "eu-west-1", accounts=(platform.account,))},
        ),
        Small(id="after", template=after, parameters=(output("Id", "site", "Id"),), depends_on=("base", "site"), more=by_role),
    )
    platform.write(msgspec.structs.replace(assembly, environment=ENV), templates)


def server_of(home: Path, seed: str, seconds: float, **more: str) -> LocalAws:
    settings = {"LOCAL_AWS_LATE": seed, "LOCAL_AWS_LATE_SECONDS": str(seconds), **more}
    return LocalAws.start(home / ".local-aws", bound_to=os.getpid(), persist=False, settings=settings)


@pytest.fixture(params=SEEDS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A checkout's directory with a late AWS."""
    server = server_of(tmp_path, request.param, 0.25)
    yield tmp_path
    server.stop()


class Person:
    """Types one command after the other."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.platform = Platform(account=ACCOUNT, dist=home / "dist", line=CommandLine(home=home))
        self.said = ""

    def __call__(self, code: int, verb: str, *arguments: str) -> str:
        out = io.StringIO()
        context = Context(stdin=io.StringIO(), stdout=out, stderr=out, environ={}, root=self.home)
        ended = main([verb, "--env", ENV, "--dist", str(self.platform.dist), "--local", *arguments], ["verbs"], context)
        self.said += f"$ {verb} -> {ended}\n{out.getvalue()}"
        assert ended == code, self.said
        return out.getvalue()

    def deploys(self, value: str) -> None:
        write(self.platform, value)
        self(3, "plan")
        self(0, "apply", "--yes")
        assert "No changes" in self(0, "plan")


def test_the_whole_life(home: Path) -> None:
    person = Person(home)
    person.deploys("a")
    person.deploys("b")
    person(0, "status")
    person(0, "destroy", "--approve", ENV, "--delete-data")
    person.deploys("c")
    assert "Traceback" not in person.said


CERTIFICATE = "AWS::CertificateManager::Certificate"


def test_a_second_try_survives_an_interrupt_and_a_kill(tmp_path: Path, processes: list[subprocess.Popen[str]]) -> None:
    late = tmp_path / "late"
    late.touch()
    server = server_of(tmp_path, "1", 0, LOCAL_AWS_LATE_ONLY=CERTIFICATE, LOCAL_AWS_LATE_WHILE=str(late))
    try:
        line = CommandLine(home=tmp_path, endpoint_url=server.endpoint_url, account_id=ACCOUNT, secret=server.secret)
        platform = Platform(account=ACCOUNT, dist=tmp_path / "dist", line=line)
        write(platform, "a")
        assert platform.plan().code == 3
        for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
            process = platform.start("--yes")
            processes.append(process)
            said = heard(process, "waiting for the certificate to be known to CloudFront")
            assert "trying again" in said, said
            process.send_signal(number)
            assert process.wait(TIMEOUT) == code, process.stderr and process.stderr.read()
        late.unlink()
        last = platform.apply("--yes")
        assert last.code == 0, last
        assert platform.plan().code == 0
    finally:
        server.stop()
