"""Translate the error of a call for the user: what was being done, AWS's answer, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from provisioner.engine.clock import Stopped
from provisioner.engine.faults import Fault, code_of, fault_of, told
from provisioner.engine.hints import hint
from provisioner.errors import Interrupted, ProvisionerError
from provisioner.sign_in import not_accepted

# How AWS names the action that a denied caller lacks. It may be another than the call's own, such as
# iam:PassRole (IAM user guide, troubleshooting access denied messages).
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
# Which policy besides the caller's own denies the call, by that page: "with an explicit deny in a service
# control policy", "because no VPC endpoint policy allows the s3:PutObject action".
_DENIES = re.compile(r"explicit deny in (an? (?:[\w-]+ )*?(?:policy|boundary))")
_ALLOWS_NOT = re.compile(r"because no ((?:[\w-]+ )*?(?:policy|boundary)) allows")
_OWN = "identity-based policy"


def right_for(error: BaseException, action: str = "", also: str = "") -> str:
    """Return, without a full stop, which right a denied caller needs and which policy has to give it.

    `action` is the right where AWS names none. `also` is appended where the caller's own policies are what
    must change.
    """
    named = _ACTION.search(str(error))
    right = named[1] if named else action or missing(error)
    if denies := _DENIES.search(str(error)):
        return f"An explicit deny in {denies[1]} forbids {right}, and no right outweighs it: take it away"
    silent = _ALLOWS_NOT.search(str(error))
    if silent and silent[1] != _OWN:
        return f"The rights of the caller are not enough: let the {silent[1]} allow {right}"
    return f"Give these credentials the right {right}{also}"


def missing(error: BaseException) -> str:
    """Return the action that the credentials lack, as a policy names it; else the call that was refused."""
    named = _ACTION.search(str(error))
    return named[1] if named else f"to call {getattr(error, 'operation_name', 'this')}"


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


def explain(
    error: BaseException, doing: str, ways_past: Mapping[str, str] = _NO_WAYS
) -> ProvisionerError | None:
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
            words = f"{right_for(error)}, then run the same command again."
            return ProvisionerError(f"{doing}: {told(error)}", words)
        case Fault.REFUSED:
            return ProvisionerError(f"{doing}: {told(error)}", ways_past.get(code_of(error), _MEND))
        case _:
            return ProvisionerError(f"{doing}: {told(error)}", hint(error))
