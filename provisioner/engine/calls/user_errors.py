"""Translate the error of a call for the user: what was being done, AWS's answer, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from provisioner.aws.credential_errors import credentials_refused_error
from provisioner.engine.calls.clock import Stopped
from provisioner.engine.calls.denials import Denial
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of, describe_error
from provisioner.engine.calls.hints import hint_for
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
    translated = user_error(error, doing)
    if translated is None or categorize(error) in (None, ErrorCategory.EXPIRED):
        raise translated or error from error
    return translated


_DEFAULT_REMEDY = "Mend that, then run the same command again."
_NO_REMEDIES: Mapping[str, str] = {}


def user_error(error: BaseException, doing: str, remedies: Mapping[str, str] = _NO_REMEDIES) -> ProvisionerError | None:
    """Return the error that the user sees; None where `error` is a bug of this tool.

    `doing` is what was being done, in words. `remedies` maps AWS's codes to what to do about a refusal.
    """
    if isinstance(error, ProvisionerError):
        return error
    if isinstance(error, Stopped):
        return Interrupted(f"{doing}: stopped while waiting.", "Run the same command again: it goes on.")
    match categorize(error):
        case None:
            return None
        case ErrorCategory.EXPIRED:
            return credentials_refused_error(describe_error(error))
        case ErrorCategory.DENIED:
            denial = Denial.of(error)
            remedy = f"{denial.remedy()}, then run the same command again. {denial.further_cause}"
            return ProvisionerError(f"{doing}: {describe_error(error)}", remedy.rstrip())
        case ErrorCategory.REFUSED:
            return ProvisionerError(f"{doing}: {describe_error(error)}", remedies.get(code_of(error), _DEFAULT_REMEDY))
        case _:
            return ProvisionerError(f"{doing}: {describe_error(error)}", hint_for(error))
