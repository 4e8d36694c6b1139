"""AWS takes one change of some things in so long: when the next can be, and when all of it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from provisioner.engine.decide import Change
from provisioner.engine.kind import Kind
from provisioner.engine.patience import is_named
from provisioner.engine.refs import Doc
from provisioner.engine.refused import NotYet
from provisioner.engine.target import Target
from provisioner.errors import NotBefore
from state.document import Entry
from state.ledger import Ledger


def timed(
    change: Change, kind: Kind, entry: Entry | None, docs: tuple[Doc, Doc], now: float, pace: float
) -> Change:
    """The change and when it can be done, where AWS makes it wait; `docs`: what is seen, what is wanted."""
    if change.verb != "update" or not kind.interval:
        return change
    later = (kind.changes(*docs) - 1) * kind.interval * pace
    done = max(now, _free_at(kind, entry, pace)) + later
    return replace(change, why=f"{_often(kind)}: done from {_told(done)}") if done > now else change


@contextmanager
def in_time(ledger: Ledger, wall: Callable[[], float], pace: float, target: Target) -> Iterator[None]:
    """Around a change; NotBefore, and the rest put off, where AWS takes it later than a run waits for."""
    kind, node = target.kind, target.it.node
    free = _free_at(kind, ledger.get(node), pace)
    if free - wall() > kind.patience:
        raise _not_before(target, free)
    try:
        yield
    except Exception as error:
        if not (isinstance(error, NotYet) or is_named(error, kind.too_soon)):
            raise
        ledger.changed(node, more=True)
        raise _not_before(target, _free_at(kind, ledger.get(node), pace)) from error
    if kind.interval:
        ledger.changed(node, more=False)


def _free_at(kind: Kind, entry: Entry | None, pace: float) -> float:
    """The wall-clock second from which AWS takes another change; 0 where no last one is known."""
    last = max(entry.made, entry.changed) if entry else 0.0
    return last + kind.interval * pace if kind.interval and last else 0.0


def _not_before(target: Target, at: float) -> NotBefore:
    return NotBefore(
        f"{_often(target.kind)} of {target.words}: the rest from {_told(at)}.",
        "Nothing is lost: run the same command again then.",
    )


def _often(kind: Kind) -> str:
    return f"AWS takes one change in {kind.interval / 60:.0f} minutes"


def _told(second: float) -> str:
    """The minute in which it has come."""
    return time.strftime("%H:%M UTC", time.gmtime(second + 59))
