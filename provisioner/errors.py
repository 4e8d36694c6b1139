"""Every error a user can meet, as one small tree; the exit code lives on the class.

ProvisionerError ............ 1   something failed
├── UsageError .............. 64  the command line or a setting is wrong
├── CredentialsError ........ 3   no credentials, expired ones, or the wrong account
├── Incomplete .............. 4   part of the work is done; the same command goes on
│   └── Superseded .......... 4   somebody's newer deployment took the place of this one
├── Blocked ................. 5   refused before the first change: somebody else's, or data would be lost
├── NoSuchStack ............. 6   no stack of that suffix is known
├── StateError .............. 1   the state file is damaged, foreign or cannot be written
│   └── StateGone ........... 6   the AWS that held the state is gone, and its stacks with it
├── LockHeld ................ 7   another run holds the stack
├── Declined ................ 8   the person said no
├── WaitTimeout ............. 9   AWS took longer than the wait allows; nothing is lost
│   └── CooldownActive ...... 9   AWS takes the rest of a change from a certain time on
├── RolledBack .............. 10  ECS rolled the deployment back
├── Unhealthy ............... 1   what was rolled out does not answer as it should
├── ResourcesRemain ......... 11  teardown ended and something is still there
└── Interrupted ............. 130 SIGINT (143 for SIGTERM)
"""

from __future__ import annotations

import json

from state.errors import ProvisionerError, StateError


class UsageError(ProvisionerError):
    """A mistake on the command line or in a setting; nothing was called."""

    exit_code = 64
    result = "usage"


class CredentialsError(ProvisionerError):
    """Credentials that are missing, unusable, or of an account that was not meant."""

    exit_code = 3
    result = "credentials"


class Incomplete(ProvisionerError):
    """A run that did and recorded part of its work; the same command goes on from there."""

    exit_code = 4
    result = "incomplete"


class Superseded(Incomplete):
    """A deployment that a newer one replaced before ECS had judged it."""

    result = "superseded"


class Blocked(ProvisionerError):
    """A refusal before the first change."""

    exit_code = 5
    result = "blocked"


class NoSuchStack(ProvisionerError):
    """A suffix of which no stack is known here."""

    exit_code = 6
    result = "no_such_stack"


class StateGone(StateError):
    """A state whose emulator has ended or was emptied, and the stacks in the state with it."""

    exit_code = NoSuchStack.exit_code
    result = "state_gone"


class Declined(ProvisionerError):
    """The answer "no" of the person who was asked."""

    exit_code = 8
    result = "declined"


class WaitTimeout(ProvisionerError):
    """A timeout: AWS took longer than the wait allows. The resource stays, and the next run waits on."""

    exit_code = 9
    result = "timeout"


class CooldownActive(WaitTimeout):
    """A cooldown: AWS allows one change in a certain time, so that the rest must be done later."""

    result = "not_before"


class RolledBack(ProvisionerError):
    """A deployment that ECS gave up, or rolled back."""

    exit_code = 10
    result = "rolled_back"


class Unhealthy(ProvisionerError):
    """A rollout whose tasks run, but do not answer as they should."""

    result = "unwell"


class ResourcesRemain(ProvisionerError):
    """A teardown after which AWS still has resources of the stack."""

    exit_code = 11
    result = "residue"


class Interrupted(ProvisionerError):
    """A run that a signal ended; calls in flight were finished and recorded."""

    result = "interrupted"

    def __init__(self, message: str, hint: str = "", exit_code: int = 130) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


def quoted(value: object) -> str:
    """Return a value from a user as messages show it: as JSON, so that a text stands in double quotes."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()


def amount(count: int, noun: str) -> str:
    """Return the count and its noun, with an `s` unless the count is 1."""
    return f"{count} {noun if count == 1 else f'{noun}s'}"
