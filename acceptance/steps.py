"""The steps of an acceptance run, and which assumption (docs/assumptions.md) each of them proves or refutes.

In: nothing. Out: `STEPS`, in order. Never: runs anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from acceptance.proofs import Proof

OK = frozenset({0})
CHANGES = frozenset({3})
"""What `plan` ends with where there is something to do."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One call of build.py or deploy.py."""

    verb: str
    """`build`, or a verb of deploy.py."""
    arguments: tuple[str, ...] = ()
    """In them `{environment}`, `{first}` (digest of the assembly that was applied first) and `{folder}` (of this run) are filled in."""
    expects: frozenset[int] = OK
    """Exit statuses."""
    says: str = ""
    """A regular expression that what it prints on stdout must match."""
    tries: int = 1
    """For what takes effect late at AWS; a minute lies between two."""
    after: float = 0.0
    """Seconds to wait before it, at AWS: for what shows itself only later."""
    secret: bool = False
    """What it prints on stdout is a password: kept for the steps that need it, in no log."""
    waits: frozenset[int] = frozenset()
    """Exit statuses that mean: come back later, with the same command."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is tried, how long AWS takes for it as a rule, and what it shows."""

    id: str
    title: str
    minutes: float
    commands: tuple[Command, ...]
    needs: str = ""
    """`password`: only where the environment has Basic Auth; `standby`: only with somewhere to fail over to."""
    settings: str = ""
    """Variant of the environment's files: `` as they are, `changed`, `failover`."""
    proves: tuple[Proof, ...] = ()


def _change(*more: Command) -> tuple[Command, ...]:
    """Build, plan with something to do, apply exactly that, and then there is nothing left."""
    return (
        Command(verb="build"),
        Command(verb="plan", expects=CHANGES),
        Command(verb="apply", arguments=("--yes",)),
        Command(verb="plan"),
        *more,
    )


def _publish(number: int) -> Command:
    return Command(verb="publish", arguments=("--content", f"{{folder}}/content-{number}", "--yes"))


def _check(title: str) -> dict[str, str]:
    """A row of the table that `verify` prints."""
    return {"says": f"^ok +{title}", "denies": f"^FAIL +{title}"}


def _in_sync(kind: str) -> dict[str, str]:
    """`drift` looked at the resources of a type, and none of them differs."""
    return {"says": rf"(?s)\A(?!.*^  {kind}$).*^\S+: in sync", "denies": rf"^  \S+ \({kind}, "}


_PASSWORD = Command(verb="set-password", arguments=("--generate",), secret=True)
_VERIFY = Command(verb="verify", tries=20)
_DESTROY = (
    Command(verb="destroy", arguments=("--approve", "{environment}", "--delete-data"), waits=frozenset({3})),
    Command(verb="destroy", arguments=("--dry-run", "--delete-data"), says=r"nothing to delete in"),
)
LEFT = Command(verb="destroy", arguments=("--dry-run", "--delete-data"))

STEPS: tuple[Step, ...] = (
    Step(
        id="doctor",
        title="What AWS holds back from this account",
        minutes=1,
        # A problem that doctor finds before anything stands ends it with 1; what matters here is that it can look.
        commands=(Command(verb="build"), Command(verb="doctor", expects=frozenset({0, 1}))),
    ),
    Step(id="password", title="A password for Basic Auth", minutes=0.2, commands=(_PASSWORD,), needs="password"),
    Step(id="plan", title="Plan of the first deployment", minutes=2, commands=(Command(verb="plan", expects=CHANGES),)),
    Step(
        id="apply",
        title="First deployment",
        minutes=25,
        commands=(
            Command(verb="apply", arguments=("--yes",)),
            Command(verb="plan", says="No changes"),
            Command(verb="status"),
        ),
        proves=(
            Proof(of="edge-read-timeout", built='"OriginReadTimeout"', denies=r"(?i)origin ?read ?timeout"),
            Proof(of="cert-wildcard", built=r'\A(?=.*"AWS::CertificateManager::Certificate").*"\*\.'),
            Proof(of="cfn-handlers", denies=r"(?i)is not authorized to perform|access ?denied"),
            Proof(of="edge-runtime", built='"nodejs24.x"', denies=r"(?i)runtime.*(not supported|invalid|not valid)"),
            Proof(of="iam-sizes", denies="Cannot exceed quota for|Maximum policy size"),
        ),
    ),
    Step(id="publish", title="First release", minutes=2, commands=(_publish(1), Command(verb="releases"))),
    Step(
        id="verify",
        title="The live site keeps what the configuration promises",
        minutes=10,
        commands=(_VERIFY,),
        proves=(
            Proof(of="edge-error-headers", **_check("Strict-Transport-Security is on every answer")),
            Proof(of="edge-own-headers", built="AWS::Lambda::Version", **_check("Strict-Transport-Security is on every answer")),
            Proof(of="iam-slash-s3", built='"ReplicationConfiguration"', **_check("The replica has the live release")),
        ),
    ),
    Step(
        id="change",
        title="A change of one threshold",
        minutes=3,
        commands=_change(Command(verb="history", says="succeeded")),
        settings="changed",
    ),
    Step(
        id="publish-change",
        title="A second release, whose file names have two spellings in a URL",
        minutes=3,
        # A run that goes on here has built the files as they are. The edge has the first release since `verify`.
        commands=(Command(verb="build"), _publish(2), _VERIFY),
        settings="changed",
        proves=(
            Proof(of="edge-rewritten", **_check("The page is the released one")),
            Proof(of="invalidation-spelling", **_check("Files are the released ones by every spelling of their address")),
        ),
    ),
    Step(
        id="rollback-release",
        title="Back to the first release",
        minutes=3,
        commands=(Command(verb="rollback-release", arguments=("--yes",)), Command(verb="releases")),
        settings="changed",
    ),
    Step(
        id="rollback",
        title="Back to the infrastructure that was applied first",
        minutes=4,
        commands=(
            Command(verb="rollback", arguments=("--to", "{first}"), expects=CHANGES),
            Command(verb="apply", arguments=("--yes",)),
            Command(verb="build"),
            Command(verb="plan", says="No changes"),
        ),
    ),
    Step(
        id="drift",
        title="Nothing has drifted by itself",
        minutes=4,
        commands=(Command(verb="drift"),),
        proves=(
            Proof(of="cfn-drift-reads", denies=r"(?i)^error: .*(is not authorized to perform|access ?denied)"),
            Proof(of="cfn-drift-types", denies="BatchDescribeTypeConfigurations"),
            Proof(of="logs-policy", built='"AWS::Logs::Delivery"', **_in_sync("AWS::S3::BucketPolicy")),
            Proof(of="logs-prefix", built='"AWS::Logs::Delivery"', **_in_sync("AWS::Logs::Delivery")),
        ),
    ),
    Step(
        id="failover-on",
        title="Failover records to the standby",
        minutes=5,
        # Route 53 takes a new health check for well until three looks, half a minute apart, have said otherwise.
        commands=_change(Command(verb="verify", after=240, tries=3)),
        needs="standby",
        settings="failover",
        proves=(
            Proof(of="failover-name", denies="InvalidChangeBatch"),
            Proof(of="health-own-name", **_check("The page is the released one")),
        ),
    ),
    Step(id="failover-off", title="No failover any more", minutes=5, commands=_change(), needs="standby"),
    Step(
        id="destroy",
        title="Everything is taken away",
        minutes=25,
        commands=_DESTROY,
        proves=(Proof(of="edge-replicas", built="AWS::Lambda::Version"),),
    ),
    Step(id="password-again", title="A secret that is being deleted is taken back", minutes=0.2, commands=(_PASSWORD,), needs="password"),
    Step(
        id="apply-again",
        title="The same environment a second time",
        minutes=30,
        commands=(
            Command(verb="build"),
            Command(verb="plan", expects=CHANGES),
            Command(verb="apply", arguments=("--yes",)),
            _publish(1),
            Command(verb="plan", says="No changes"),
        ),
    ),
    Step(id="destroy-again", title="Everything is taken away again", minutes=25, commands=_DESTROY),
)
"""In order. Minutes are what CloudFormation, CloudFront and ACM take as a rule; none of it was measured on a real account."""

CLEAN_UP = Step(id="clean-up", title="Whatever stands is taken away", minutes=25, commands=_DESTROY)

COST = (
    "about 2 US dollars: health checks, a secret, alarms and dashboard for the hours of the run, some requests, a hosted zone if it is new"
)
"""From the price lists of Route 53 (0.50 to 2 a health check and month), Secrets Manager (0.40 a month) and CloudWatch (0.10 an alarm and
month, 3 a dashboard beyond three), which are charged in parts of a month; not measured."""
