"""What AWS has made and does not know everywhere yet: which refusals mean that, and how long they may last.

In: a call that AWS refused, what it was about, and whether this deployment has made that within the last minutes.
Out: the answer to the same call a moment later, or the refusal.
Never: repeats a call for any other refusal, or for a thing that nobody knows to be new; waits longer than the table says, or once it is
asked to stop; sleeps before it has asked.

IAM is the slowest: "changes might not be immediately visible" (IAM User Guide, "Troubleshoot IAM"). The limits are those of Terraform's AWS
provider where it has one (two minutes for IAM, one for certificates and buckets); AWS documents none.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws.errors import AwsError

LATELY = 600.0
"""Seconds for which something counts as new: longer than any delay here, with room for an apply that was killed and begun again."""
TOLD_AFTER = 5.0
"""Seconds of waiting without a word; then a sentence, and another one after each further stretch of that length times two."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_ATTEMPTS = 3
"""How often it is asked whether the thing is new, since that answer may be stale as well."""

ROLE, BUCKET, TABLE = "AWS::IAM::Role", "AWS::S3::Bucket", "AWS::DynamoDB::Table"
CERTIFICATE, DISTRIBUTION = "AWS::CertificateManager::Certificate", "AWS::CloudFront::Distribution"
SECRET, CHANGE_SET, STACK_SET, OPERATION = "secret", "change set", "StackSet", "StackSet operation"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Made here, used there: the refusal by which a service says that it does not know it yet."""

    service: str
    operations: frozenset[str]
    codes: frozenset[str]
    words: re.Pattern[str] = re.compile("")
    of: str
    """The parameter of the request that names the thing; for "" the refusal does, in the group of `words`."""
    kind: str
    """Resource type, or what a call of ours makes."""
    known: str
    """What is waited for: "to be ..."."""
    seconds: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Unready:
    """The same, met by CloudFormation itself: the words with which a resource, or a StackSet's instance, fails."""

    words: re.Pattern[str]
    kinds: tuple[str, ...]
    """One of these must be new for it to be that."""
    known: str
    seconds: float
    source: str


def _all(text: str) -> frozenset[str]:
    return frozenset(text.split())


PAIRS = (
    Pair(
        service="cloudformation",
        operations=_all(
            "CreateChangeSet DeleteStack ContinueUpdateRollback RollbackStack ExecuteChangeSet CreateStackSet UpdateStackSet"
            " CreateStackInstances UpdateStackInstances DeleteStackInstances ImportStacksToStackSet"
        ),
        codes=_all("ValidationError"),
        words=re.compile(r"(?:[Rr]ole )?(arn:aws[a-z-]*:iam::\d{12}:role/\S+) (?:is invalid or cannot be assumed|cannot be assumed by)"),
        of="",
        kind=ROLE,
        known="to be assumed by CloudFormation",
        seconds=120,
        source="terraform-provider-aws issue 22834, pull request 36982",
    ),
    Pair(
        service="sts",
        operations=_all("AssumeRole"),
        codes=_all("AccessDenied"),
        words=re.compile(r"not authorized to perform: sts:AssumeRole"),
        of="RoleArn",
        kind=ROLE,
        known="to be assumable",
        seconds=60,
        source="IAM User Guide, Troubleshoot IAM; terraform-provider-aws issue 6566 (10 to 30 seconds)",
    ),
    Pair(
        service="iam",
        operations=_all("GetRole"),
        codes=_all("NoSuchEntity"),
        of="RoleName",
        kind=ROLE,
        known="to be found in IAM",
        seconds=60,
        source="IAM User Guide, Troubleshoot IAM",
    ),
    Pair(
        service="s3",
        operations=_all("HeadBucket PutObject GetObject CopyObject ListObjectsV2 ListObjectVersions"),
        codes=_all("404 NoSuchBucket"),
        of="Bucket",
        kind=BUCKET,
        known="to be found",
        seconds=60,
        source="S3 User Guide, data consistency model (bucket configurations); terraform-provider-aws issue 49960",
    ),
    Pair(
        service="dynamodb",
        operations=_all("DescribeTable GetItem PutItem UpdateItem DeleteItem"),
        codes=_all("ResourceNotFoundException"),
        of="TableName",
        kind=TABLE,
        known="to be found",
        seconds=60,
        source="DynamoDB API, DescribeTable",
    ),
    Pair(
        service="acm",
        operations=_all("DescribeCertificate"),
        codes=_all("ResourceNotFoundException"),
        of="CertificateArn",
        kind=CERTIFICATE,
        known="to be found",
        seconds=60,
        source="terraform-provider-aws, aws_acm_certificate",
    ),
    Pair(
        service="cloudfront",
        operations=_all("CreateInvalidation GetDistribution"),
        codes=_all("NoSuchDistribution"),
        of="DistributionId Id",
        kind=DISTRIBUTION,
        known="to be found",
        seconds=60,
        source="assumed; no document",
    ),
    Pair(
        service="secretsmanager",
        operations=_all("DescribeSecret GetSecretValue"),
        codes=_all("ResourceNotFoundException"),
        of="SecretId",
        kind=SECRET,
        known="to be readable",
        seconds=60,
        source="Secrets Manager API, ListSecrets (recent changes may be missing for some minutes)",
    ),
    Pair(
        service="cloudformation",
        operations=_all("DescribeChangeSet ExecuteChangeSet"),
        codes=_all("ChangeSetNotFound ChangeSetNotFoundException ValidationError"),
        words=re.compile(r"does not exist"),
        of="ChangeSetName",
        kind=CHANGE_SET,
        known="to be found",
        seconds=30,
        source="assumed; reads of CloudFormation are not documented as consistent",
    ),
    Pair(
        service="cloudformation",
        operations=_all(
            "CreateStackInstances DescribeStackInstance DescribeStackSet DescribeStackSetOperation ImportStacksToStackSet"
            " ListStackInstances ListStackSetOperationResults ListStackSetOperations UpdateStackInstances"
        ),
        codes=_all("StackSetNotFoundException"),
        of="StackSetName",
        kind=STACK_SET,
        known="to be found",
        seconds=30,
        source="assumed, as for change sets",
    ),
    Pair(
        service="cloudformation",
        operations=_all("DescribeStackSetOperation ListStackSetOperationResults"),
        codes=_all("OperationNotFoundException"),
        of="OperationId",
        kind=OPERATION,
        known="to be found",
        seconds=30,
        source="assumed, as for change sets",
    ),
)

_MADE_BY: Mapping[str, tuple[str, str]] = {
    "CreateChangeSet": (CHANGE_SET, "Id"),
    "CreateSecret": (SECRET, "Name"),
    "CreateStackInstances": (OPERATION, "OperationId"),
    "CreateStackSet": (STACK_SET, "StackSetName"),
    "DeleteStackInstances": (OPERATION, "OperationId"),
    "DetectStackSetDrift": (OPERATION, "OperationId"),
    "ImportStacksToStackSet": (OPERATION, "OperationId"),
    "UpdateStackInstances": (OPERATION, "OperationId"),
    "UpdateStackSet": (OPERATION, "OperationId"),
}
"""What calls make, and the part of the answer or the request that names it."""
_TAKEN_AWAY_BY: Mapping[str, tuple[str, str]] = {
    "DeleteChangeSet": (CHANGE_SET, "ChangeSetName"),
    "DeleteSecret": (SECRET, "SecretId"),
    "DeleteStackSet": (STACK_SET, "StackSetName"),
}
"""That AWS does not know these afterwards is no lateness."""

UNREADY = (
    Unready(
        words=re.compile(r"cannot be assumed by Lambda"),
        kinds=(ROLE,),
        known="the role to be assumed by Lambda",
        seconds=120,
        source="pulumi-aws-native issue 148; terraform-provider-aws issue 44517",
    ),
    Unready(
        words=re.compile(r"is not authorized to perform|\bAccessDenied|role has insufficient|AccountGate check failed"),
        kinds=(ROLE, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"),
        known="the permissions of the role to hold everywhere",
        seconds=120,
        source="terraform-provider-aws pull request 15173, issue 33367",
    ),
    Unready(
        words=re.compile(r"role with trust relationship|is invalid or cannot be assumed|security token included in the request is invalid"),
        kinds=(ROLE,),
        known="the StackSet's roles to be assumable",
        seconds=120,
        source="terraform-provider-aws issue 15165, pull request 15173",
    ),
    Unready(
        words=re.compile(r"does not exist or is not attachable"),
        kinds=("AWS::IAM::ManagedPolicy",),
        known="the new policy to be attachable",
        seconds=120,
        source="IAM User Guide, Troubleshoot IAM",
    ),
    Unready(
        words=re.compile(r"Invalid principal in policy|The specified bucket does not exist"),
        kinds=(ROLE, BUCKET),
        known="what the bucket policy names to be found",
        seconds=120,
        source="hashicorp/terraform pull request 4315",
    ),
    Unready(
        words=re.compile(r"specified SSL certificate doesn't exist"),
        kinds=(CERTIFICATE,),
        known="the certificate to be known to CloudFront",
        seconds=60,
        source="terraform-provider-aws, aws_cloudfront_distribution (tries again for a minute)",
    ),
    Unready(
        words=re.compile(r"must be in an Active state|update is in progress for resource"),
        kinds=("AWS::Lambda::Version", "AWS::Lambda::Function"),
        known="the new function version to be active",
        seconds=120,
        source="aws-samples/cloudfront-authorization-at-edge issue 245; Lambda Developer Guide, function states",
    ),
)


def unready(reason: str) -> Unready | None:
    """What AWS's words about a failed resource or instance may have to do with its being late."""
    return next((each for each in UNREADY if each.words.search(reason)), None)


class StoppedWaiting(AwsError):
    """AWS did not know something new yet when waiting for it was asked to end."""


@dataclass(kw_only=True)
class Propagation:
    """Repeats calls about new things. May be used from any thread."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    """Seconds, of any beginning."""
    age: Callable[[str, str], float | None] = lambda _kind, _name: None
    """Seconds since this deployment made the thing of that kind and name (or ARN); None if it did not, or longer ago than `LATELY`."""
    stopped: Callable[[], bool] = lambda: False
    tell: Callable[[str], None] = lambda _: None
    _own: dict[tuple[str, str], float] = field(default_factory=dict)
    _asking: threading.local = field(default_factory=threading.local)

    def call(self, operation: str, params: Mapping[str, Any], do: Callable[[], Any]) -> Any:
        """The answer of `do`, asked again while something new is not known yet. Raises the refusal, `StoppedWaiting`."""
        began: float | None = None
        told, pause = TOLD_AFTER, _FIRST_PAUSE
        while True:
            try:
                answer = do()
            except AwsError as refused:
                found = pair_of(refused, operation, params)
                if found is None or not self._may_be_late(found[0].kind, found[1], first=began is None):
                    raise
                pair, name = found
                began = self.now() if began is None else began
                waited = self.now() - began
                if self.stopped():
                    raise StoppedWaiting(
                        f"stopped as asked, while waiting for {name} {pair.known}", code=refused.code, service=refused.service
                    ) from refused
                if waited >= pair.seconds:
                    raise
                if waited >= told:
                    what = f"the new {_short(pair.kind)} {name} {pair.known}"
                    self.tell(f"waiting for {what}, {waited:.0f} s; AWS may need {pair.seconds:.0f} s")
                    told += 2 * TOLD_AFTER
                self.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 1.5)
            else:
                self._note(operation, params, answer)
                return answer

    def is_new(self, kind: str, name: str = "") -> bool:
        """Whether this deployment made it lately; without a name, anything of that kind."""
        if getattr(self._asking, "now", False):
            return False
        self._asking.now = True
        try:
            made = self._own.get((kind, name), self._own.get((kind, name.rpartition("/")[2])))
            age = self.now() - made if made is not None else self.age(kind, name)
        except AwsError:
            return False
        finally:
            self._asking.now = False
        return age is not None and age <= LATELY

    def learn(self, kind: str, name: str, age: float) -> None:
        """This deployment made or changed it so many seconds ago."""
        made = self.now() - age
        self._own[kind, name] = made
        self._own[kind, ""] = max(made, self._own.get((kind, ""), made))

    def unlearn(self, kind: str, name: str) -> None:
        """It was taken away again."""
        self._own.pop((kind, name), None)

    def _may_be_late(self, kind: str, name: str, *, first: bool) -> bool:
        if not first:
            return True
        if getattr(self._asking, "now", False):
            return False
        for attempt in range(_ATTEMPTS):
            if self.is_new(kind, name):
                return True
            if kind in (SECRET, CHANGE_SET, STACK_SET, OPERATION) or self.stopped() or not self.is_new(kind):
                return False
            if attempt < _ATTEMPTS - 1:
                self.sleep(_FIRST_PAUSE)
        return False

    def _note(self, operation: str, params: Mapping[str, Any], answer: Any) -> None:
        kind, part = _MADE_BY.get(operation, ("", ""))
        if kind:
            name = params.get(part) or (answer.get(part) if isinstance(answer, Mapping) else None)
            self.learn(kind, str(name), 0.0)
        kind, part = _TAKEN_AWAY_BY.get(operation, ("", ""))
        if kind:
            self.unlearn(kind, str(params.get(part)))


def pair_of(refused: AwsError, operation: str, params: Mapping[str, Any]) -> tuple[Pair, str] | None:
    """The row that the refusal belongs to, and the name of what it is about."""
    for pair in PAIRS:
        if (refused.service, operation in pair.operations, refused.code in pair.codes) != (pair.service, True, True):
            continue
        found = pair.words.search(refused.message)
        if found is None:
            continue
        name = next((str(params[part]) for part in pair.of.split() if params.get(part)), "") if pair.of else found[1]
        if name:
            return pair, name
    return None


def _short(kind: str) -> str:
    return kind.rpartition("::")[2].lower() if "::" in kind else kind
