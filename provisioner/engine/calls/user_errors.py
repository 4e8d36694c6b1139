"""Translate the error of a call for the user: what was being done, AWS's answer, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from provisioner.credential_errors import not_accepted
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of, describe_error
from provisioner.engine.calls.hints import hint_for
from provisioner.engine.calls.polling import Stopped
from provisioner.engine.denials import Denial
from provisioner.errors import Interrupted
from state.errors import ProvisionerError


@contextmanager
def user_errors(doing: str) -> Iterator[None]:
    """Raise an error of a call inside the block as the error that the user sees."""
    try:
        yield
    except Exception as error:
        raise user_error(error, doing) or error from error


def describe_refusal(error: Exception, doing: str) -> ProvisionerError:
    """Return the user's error for a call that a command can do without.

    Errors that would make all further calls useless are raised: expired credentials, a signal, a bug of this
    tool.
    """
    known = user_error(error, doing)
    if known is None or categorize(error) in (None, ErrorCategory.EXPIRED):
        raise known or error from error
    return known


_MEND = "Mend that, then run the same command again."
_NO_WAYS: Mapping[str, str] = {}


def user_error(error: BaseException, doing: str, ways_past: Mapping[str, str] = _NO_WAYS) -> ProvisionerError | None:
    """Return the error that the user sees; None where `error` is a bug of this tool.

    `doing` is what was being done, in words. `ways_past` maps AWS's codes to what to do about a refusal.
    """
    if isinstance(error, ProvisionerError):
        return error
    if isinstance(error, Stopped):
        return Interrupted(f"{doing}: stopped while waiting.", "Run the same command again: it goes on.")
    match categorize(error):
        case None:
            return None
        case ErrorCategory.EXPIRED:
            return not_accepted(describe_error(error))
        case ErrorCategory.DENIED:
            denial = Denial.of(error)
            words = f"{denial.remedy()}, then run the same command again. {denial.more}"
            return ProvisionerError(f"{doing}: {describe_error(error)}", words.rstrip())
        case ErrorCategory.REFUSED:
            return ProvisionerError(f"{doing}: {describe_error(error)}", ways_past.get(code_of(error), _MEND))
        case _:
            return ProvisionerError(f"{doing}: {describe_error(error)}", hint_for(error))
