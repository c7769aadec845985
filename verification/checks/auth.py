"""Basic Auth: who is let in, who is not."""

from __future__ import annotations

from verification.model import Skipped
from verification.probe import Probe
from verification.registry import check, expect


@check("auth.challenge", "Without credentials: the challenge of Basic Auth, or none at all")
def _challenge(probe: Probe) -> str:
    answer = probe.get(probe.contract.entry_path, credentials=False)
    challenge = answer.headers.get("www-authenticate", "")
    if not probe.contract.basic_auth:
        return expect(
            answer.status == 200 and not challenge, f"{answer.status}, {f'challenge {challenge!r}' if challenge else 'no challenge'}"
        )
    realm = f'realm="{probe.contract.basic_auth_realm}"'
    kept = answer.status == 401 and challenge.lower().startswith("basic ") and realm in challenge
    return expect(kept, f"{answer.status}, www-authenticate: {challenge or 'none'}", f"401, Basic {realm}")


@check("auth.wrong", "Wrong credentials are refused")
def _wrong(probe: Probe) -> str:
    if not probe.contract.basic_auth:
        raise Skipped("no Basic Auth here")
    user = probe.target.username or "admin"
    answer = probe.get(probe.contract.entry_path, credentials=(user, "not the password of anybody"))
    return expect(answer.status == 401, str(answer.status), "401")


@check("auth.accepted", "The right credentials are let in")
def _accepted_credentials(probe: Probe) -> str:
    if not probe.contract.basic_auth:
        raise Skipped("no Basic Auth here")
    return expect(probe.entry.status == 200, str(probe.entry.status), "200")


@check("auth.everything", "Page and assets need credentials, also when the edge has them")
def _everything(probe: Probe) -> str:
    if not probe.contract.basic_auth:
        raise Skipped("no Basic Auth here")
    paths = (probe.contract.entry_path, *probe.asset_paths[:3])
    for path in paths:
        probe.get(path)
    # Not the answer that another check was given: from now on the edge may have what it has just let through.
    open_ones = [path for path in paths if probe.get(path, credentials=False, again=1).status != 401]
    return expect(not open_ones, f"open to everybody: {', '.join(open_ones)}" if open_ones else f"{len(paths)} asked for, all 401")


@check("auth.health", "The health path answers without credentials")
def _health(probe: Probe) -> str:
    if not probe.contract.basic_auth:
        raise Skipped("without Basic Auth the health check asks for the entry path")
    answer = probe.get(probe.contract.health_path, credentials=False)
    return expect(answer.status == 200, f"{probe.contract.health_path}: {answer.status}", "200")
