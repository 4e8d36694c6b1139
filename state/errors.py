"""The base of the error tree, and the errors of the state: below `state/` and `provisioner/` alike."""

from __future__ import annotations


class ProvisionerError(Exception):
    """The base of the errors that a user sees: what happened, to which resource, and a hint.

    `hint` says what to type next. `evidence` is a longer text of AWS or of a container, which is shown but
    never saved.
    """

    exit_code = 1
    result = "error"

    def __init__(self, message: str, hint: str = "", evidence: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.evidence = evidence


class StateError(ProvisionerError):
    """A state file that is damaged, belongs elsewhere, or cannot be read or written."""

    result = "ledger"


class LockHeld(ProvisionerError):
    """A stack on which another run is at work."""

    exit_code = 7
    result = "locked"
