"""AWS's words for failures whose cause and remedy are known: one table of pattern, explanation and command.

In: the reason of a failed resource. Out: what it means and what to type; None for other words.
Never: guesses; words that are not listed here stay as AWS wrote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rollout.new_account import SUPPORT


@dataclass(frozen=True, kw_only=True)
class KnownCause:
    """A failure that was met before."""

    words: re.Pattern[str]
    explanation: str = ""
    command: tuple[str, ...] = ()
    """Verb and arguments of deploy.py; empty: what the stack's status asks for comes first."""
    advice: str = ""
    """What to do where that is no command of ours; what the stack's status asks for comes after it."""
    only_without_other: bool = False
    """The command counts only where the stack's status asks for none."""


CAUSES = (
    # CloudFront's words, which come as AccessDenied. Source: aws-cdk-examples#279, among other reports; not documented.
    KnownCause(
        words=re.compile(r"account must be verified", re.IGNORECASE),
        explanation="no permission is missing: AWS wants to verify this account before its first distribution",
        advice=SUPPORT,
    ),
    # Source: common errors of AWS's APIs, OptInRequired.
    KnownCause(
        words=re.compile(r"OptInRequired|SubscriptionRequired|needs a subscription for the service"),
        explanation="no permission is missing: this account is not activated for the service",
        advice=SUPPORT,
    ),
    # A service's words for a role that it was handed and cannot become. Whatever state the stack is in, nothing goes on before that.
    KnownCause(
        words=re.compile(r"is invalid or cannot be assumed|unable to assume|cannot assume|cannot be assumed", re.IGNORECASE),
        explanation="the role is not there, was made only seconds ago, or its trust policy does not let the service in: an administrator"
        " plans and applies foundation, which makes the roles again",
        command=("plan", "--only", "foundation"),
    ),
    # Sources: aws/aws-cdk issues 10274 and 28252; aws-samples/sample-geospatial-foundation-models-on-aws issue 14.
    KnownCause(
        words=re.compile(r"A version for this Lambda function exists|Version already exists: \[?arn:", re.IGNORECASE),
        explanation="Lambda publishes no second version of a function that is as its last version has it, which an earlier attempt"
        " published; storing the password anew changes the function",
        command=("set-password", "--generate"),
    ),
    # Source: Lambda API reference, CreateFunction (ResourceConflictException).
    KnownCause(
        words=re.compile(r"Function already exists?\b|AWS::Lambda::Function' with identifier '[^']+' already exists", re.IGNORECASE),
        explanation="a function of that name is left from a stack that was deleted; once CloudFront has let go of its replicas (hours),"
        " delete it: aws lambda delete-function --region us-east-1 --function-name NAME",
    ),
    # Source: CloudFront API reference, CreateDistribution (CNAMEAlreadyExists).
    KnownCause(
        words=re.compile(r"CNAMEAlreadyExists|CNAMEs you provided are already associated", re.IGNORECASE),
        explanation="another distribution, of this account or of another, has the domain as its alias",
        advice="take the domain off that distribution, or move it without a gap: docs/guides/moving-a-site.md",
    ),
    # Source: Route 53 API reference, ChangeResourceRecordSets (InvalidChangeBatch), whose words these are.
    KnownCause(
        words=re.compile(r"resource record set .*already exists|Route 53 record already exists|InvalidChangeBatch", re.IGNORECASE),
        explanation="a record of that name stands in the zone already; a plan can replace it as a step of its own",
        command=("plan", "--replace-records"),
        only_without_other=True,
    ),
    # Source: IAM API reference, CreateOpenIDConnectProvider (EntityAlreadyExists).
    KnownCause(
        words=re.compile(r"Provider with url \S+ already exists", re.IGNORECASE),
        explanation="an account has one such provider for all",
        advice="set github.create_provider: false in the environment's file, and build again",
    ),
    # Source: S3 API reference, CreateBucket.
    KnownCause(
        words=re.compile(r"BucketAlreadyExists|requested bucket name is not available", re.IGNORECASE),
        explanation="the bucket name belongs to another account",
        advice="give the bucket another name in the environment's file, and build again",
    ),
    # The create handler's words; whatever the policy says (docs/assumptions.md, bucket-policy-create).
    KnownCause(
        words=re.compile(r"bucket policy already exists", re.IGNORECASE),
        explanation="the bucket has a policy that no stack made, and CloudFormation makes none over it",
        command=("adopt", "--plan"),
    ),
    # Source: S3 API reference, PutBucketOwnershipControls; S3 User Guide, "Prerequisites for disabling ACLs".
    KnownCause(
        words=re.compile(r"InvalidBucketAclWithObjectOwnership|cannot have ACLs set with ObjectOwnership", re.IGNORECASE),
        explanation="the bucket's own ACL grants something to others (legacy log delivery does), and ACLs cannot end before that does",
        advice="move such grants into the bucket's policy, then: aws s3api put-bucket-acl --acl private --bucket NAME",
    ),
    # S3's words for a principal that is not there. Source: AWS re:Post, "Invalid principal in policy" with S3 and OAI.
    KnownCause(
        words=re.compile(r"Invalid principal in policy", re.IGNORECASE),
        explanation="the bucket's policy names somebody who does not exist, such as an Origin Access Identity with another id",
        advice="compare adopt.origin_access_identity in the environment's file with: aws cloudfront"
        " list-cloud-front-origin-access-identities; then build again",
    ),
    # The handlers' words (HandlerErrorCode AlreadyExists), and those of the services: EntityAlreadyExists, ResourceAlreadyExistsException,
    # BucketAlreadyOwnedByYou, ...AlreadyExists of CloudFront, WAFDuplicateItemException. Whose it is, and what follows, plan looks up.
    KnownCause(
        words=re.compile(r"already exists?\b|AlreadyExists|AlreadyOwnedByYou|duplicate of an existing one", re.IGNORECASE),
        explanation="something of that name stands in the account already; plan looks up whose it is, takes over what is this"
        " environment's, and names what to do about the rest",
        command=("plan",),
        only_without_other=True,
    ),
    # The words of most services for a permission that is missing.
    KnownCause(words=re.compile(r"not authorized|AccessDenied"), command=("doctor",), only_without_other=True),
)
"""The first that fits counts."""


def known_cause(reason: str) -> KnownCause | None:
    """The known failure that the words tell of."""
    return next((cause for cause in CAUSES if cause.words.search(reason)), None)
