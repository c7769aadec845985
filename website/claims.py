"""Who may change the content: one at a time, by a claim in the state of the releases.

In: the state that was read and a `Run`. Out: `Claimed`; `Busy` tells the loser of a race who won.
Never: takes over from somebody who may still be at it, or goes on after somebody else took over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

import msgspec

from assembly import commands
from aws.errors import AwsError, Conflict
from guards.caller import Caller, surely_dead
from guards.termination import undisturbed
from website.errors import Busy, WebsiteError
from website.releases import Claim, State, Store, moment, timestamp
from website.run import Run
from website.site import Site
from website.snapshot import Snapshot

CLAIM_SECONDS = 600
"""How long a claim holds without being renewed; a run that was killed on another machine blocks for as long."""


class Claimed:
    """A claim that we hold. Every write of it checks that nobody took it over; leaving the block unfinished gives it up."""

    def __init__(self, store: Store, state: State, etag: str, now: Callable[[], datetime]) -> None:
        self.store = store
        self.state = state
        self._etag = etag
        self._now = now
        self._renewed = now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if (mine := self.state.claim) is not None:
            # Whoever took over has it now; where AWS does not answer, it lapses by itself. Read anew: a write of ours that was interrupted
            # may have been carried out, under an ETag that we were not told.
            with undisturbed(), contextlib.suppress(WebsiteError, AwsError):
                self.state = self.store.change(lambda now: given_up(now, self._now()) if now.claim and now.claim.id == mine.id else now)

    def renew(self) -> None:
        """Say that we are still at it, once a minute at most. `Busy` if somebody took over."""
        if self._now() - self._renewed < timedelta(seconds=60):
            return
        self.assert_held()

    def assert_held(self) -> None:
        """Write the claim again; `Busy` if it is not ours any more. After this nobody else begins for `CLAIM_SECONDS`."""
        assert self.state.claim is not None
        expires = self._now() + timedelta(seconds=CLAIM_SECONDS)
        self._write(msgspec.structs.replace(self.state, claim=msgspec.structs.replace(self.state.claim, expires_at=timestamp(expires))))
        self._renewed = self._now()

    def finish(self, edit: Callable[[State], State]) -> State:
        """Write the outcome and let go, in one write."""
        self._write(msgspec.structs.replace(edit(self.state), claim=None))
        return self.state

    def _write(self, state: State) -> None:
        try:
            self._etag = self.store.write(state, self._etag)
        except Conflict:
            now, _ = self.store.state()
            raise _lost(now, self.store.environment) from None
        self.state = state


def claim(
    store: Store,
    state: State,
    etag: str | None,
    *,
    action: str,
    manifest: str,
    caller: Caller,
    token: str,
    now: Callable[[], datetime],
    take_over: bool = False,
) -> Claimed:
    """Begin to change the content, if the state is still the one that was read and nobody else is at it.

    A claim that has expired, or whose process ran on this machine and is gone, is taken over; any other one only with `take_over`.
    Raises `Busy`, which says who was first.
    """
    held = state.claim
    if held is not None and not take_over and not _dead(held, caller, now()):
        raise _busy(held, store.environment)
    before = given_up(state, now()) if held is not None and held.manifest != manifest else state
    mine = Claim(
        id=token,
        action=action,
        manifest=manifest,
        by=caller.arn,
        host=caller.host,
        machine=caller.machine,
        pid=caller.pid,
        process=caller.process,
        started_at=timestamp(now()),
        expires_at=timestamp(now() + timedelta(seconds=CLAIM_SECONDS)),
    )
    mine_state = msgspec.structs.replace(before, claim=mine)
    try:
        return Claimed(store, mine_state, store.write(mine_state, etag), now)
    except Conflict:
        current, _ = store.state()
        raise _lost(current, store.environment) from None
    except KeyboardInterrupt:

        def let_go(found: State) -> State:
            """Also where the write has not arrived yet: S3 refuses it then, since the list that it would replace is another one."""
            mine_there = found.claim is not None and found.claim.id == token
            return given_up(found if mine_there else mine_state, now()) if mine_there or found == state else found

        with contextlib.suppress(WebsiteError, AwsError):
            store.change(let_go)
        raise


def given_up(state: State, now: datetime) -> State:
    """Without the claim; what it may have written is remembered, as later than the live release whatever the clocks say."""
    held, live = state.claim, state.live
    assert held is not None
    unfinished = dict(state.unfinished)
    if held.manifest and (live is None or held.manifest != live.manifest):
        earliest = moment(live.at) + timedelta(seconds=1) if live is not None else now
        unfinished[held.manifest] = timestamp(max(now, earliest))
    return msgspec.structs.replace(state, claim=None, unfinished=unfinished)


def _dead(held: Claim, caller: Caller, now: datetime) -> bool:
    if moment(held.expires_at) <= now:
        return True
    return surely_dead(held, caller)


def _busy(held: Claim, environment: str) -> Busy:
    what = f" ({held.manifest[:12]})" if held.manifest else ""
    return Busy(
        f"{held.by} on {held.host} began a {held.action}{what} of {environment} at {held.started_at} and has not ended it",
        f"wait for it; if you know that it is dead: the same command with --take-over (it lapses by itself at {held.expires_at})",
    )


def _lost(state: State, environment: str) -> Busy:
    if state.claim is not None:
        return _busy(state.claim, environment)
    live = state.live
    if live is None:
        return Busy(f"the releases of {environment} were changed at the same moment", "run the same command again")
    return Busy(
        f"{live.by} was first: release {live.number} ({live.content[:12]}) of {environment} went live at {live.at}",
        f"{commands.deploy('releases', environment)}, then run the same command again",
    )


def begin(site: Site, snapshot: Snapshot, run: Run, *, action: str, manifest: str) -> Claimed:
    claimed = claim(
        site.store,
        snapshot.state,
        snapshot.etag,
        action=action,
        manifest=manifest,
        caller=run.caller,
        token=run.token,
        now=run.now,
        take_over=run.take_over,
    )
    try:
        # After the claim: whoever moves the target looks for claims after having said so, so one of the two sees the other.
        site.still_target()
    except BaseException:
        with claimed:
            raise
    return claimed
