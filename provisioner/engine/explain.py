"""Translate the error of a call for the user: what was being done, AWS's answer, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from provisioner.engine.clock import Stopped
from provisioner.engine.denials import Denial
from provisioner.engine.faults import Fault, code_of, fault_of, told
from provisioner.engine.hints import hint
from provisioner.errors import Interrupted
from provisioner.sign_in import not_accepted
from state.errors import ProvisionerError


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise an error of a call inside the block as the error that the user sees."""
    try:
        yield
    except Exception as error:
        raise explain(error, doing) or error from error


def excused(error: Exception, doing: str) -> ProvisionerError:
    """Return the user's error for a call that a command can do without.

    Errors that would make all further calls useless are raised: expired credentials, a signal, a bug of this
    tool.
    """
    known = explain(error, doing)
    if known is None or fault_of(error) in (None, Fault.EXPIRED):
        raise known or error from error
    return known


_MEND = "Mend that, then run the same command again."
_NO_WAYS: Mapping[str, str] = {}


def explain(error: BaseException, doing: str, ways_past: Mapping[str, str] = _NO_WAYS) -> ProvisionerError | None:
    """Return the error that the user sees; None where `error` is a bug of this tool.

    `doing` is what was being done, in words. `ways_past` maps AWS's codes to what to do about a refusal.
    """
    if isinstance(error, ProvisionerError):
        return error
    if isinstance(error, Stopped):
        return Interrupted(f"{doing}: stopped while waiting.", "Run the same command again: it goes on.")
    match fault_of(error):
        case None:
            return None
        case Fault.EXPIRED:
            return not_accepted(told(error))
        case Fault.DENIED:
            denial = Denial.of(error)
            words = f"{denial.remedy()}, then run the same command again. {denial.more}"
            return ProvisionerError(f"{doing}: {told(error)}", words.rstrip())
        case Fault.REFUSED:
            return ProvisionerError(f"{doing}: {told(error)}", ways_past.get(code_of(error), _MEND))
        case _:
            return ProvisionerError(f"{doing}: {told(error)}", hint(error))
