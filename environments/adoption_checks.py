"""What types cannot say about what stood before the platform: `adopt` and `certificate.arn`.

In: an `Environment`. Out: problems, noted by key. Never: asks whether any of it is there.
"""

from __future__ import annotations

from assembly.certificate_names import certificate_covers
from environments.model import Environment
from environments.problems import Note
from environments.regions import OPT_IN_REGIONS


def check_adoption(env: Environment, note: Note) -> None:
    """What types cannot say about `adopt` and `certificate.arn`."""
    adopt = env.adopt
    if adopt.origin_access_identity is not None and adopt.website_endpoint is not None:
        note(("adopt",), "origin_access_identity and website_endpoint exclude each other: name the one that the distribution uses")
    if adopt.origin_access_identity is not None and env.home_region in OPT_IN_REGIONS:
        note(
            ("adopt", "origin_access_identity"),
            f"works in no region that an account opts into, such as {env.home_region}; the distribution must come otherwise: look again",
        )
    if adopt.origin == "private" and not adopt.under_way:
        note(
            ("adopt", "origin"),
            "private is how every distribution reads; it is for the step after origin_access_identity or website_endpoint",
        )
    if adopt.under_way and env.disaster_recovery is not None:
        note(("adopt",), "goes before disaster_recovery: change to the private way first, take adopt out of the file, then add the replica")
    _check_certificate(env, note)


def _check_certificate(env: Environment, note: Note) -> None:
    arn = env.certificate.arn
    if arn is None:
        return
    account = arn.split(":")[4]
    if account != env.account_id:
        note(
            ("certificate", "arn"),
            f"is a certificate of account {account}; a distribution takes one of its own account only, here {env.account_id}",
        )
    for index, host in enumerate(env.redirect_hosts):
        if not any(certificate_covers(name, host) for name in env.certificate_names):
            note(
                ("redirect_hosts", index), f'"{host}" is on no name of the certificate, which is not made here: ask its owner for the name'
            )
