"""Refusals: AWS is not ready for a call yet, or a blocker keeps a resource from being deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.types.data import Codes
from provisioner.errors import Blocked, CooldownActive, WaitTimeout
from state.errors import ProvisionerError


class RetryLater(Exception):
    """AWS must finish a step first; the call is repeated after about `due` seconds."""

    def __init__(self, why: str, due: float = 0) -> None:
        super().__init__(why)
        self.due = due


class OwnershipConflict(Blocked):
    """A resource of somebody else has the name of a resource of this stack, or is in its place."""


@dataclass(frozen=True)
class Blocker:
    """A blocker, which keeps a resource from being deleted; `temporary` if AWS or this run will remove it."""

    description: str
    temporary: bool
    # What a person can do about it, and when it can go; "" if that is not known.
    remedy: str = ""
    # AWS did not let it be read: it is reported, but is no reason to give up.
    uncertain: bool = False
    # It ends on a known day, or when a step of the account's owner takes effect later, such as a contract or
    # a retention period. Only time can remove it.
    deferred: bool = False
    # A further note for the user; shown once for all blockers that share it.
    note: str = ""
    # The id of the resource that contains it, and with which it is deleted.
    part_of: str = ""

    def __str__(self) -> str:
        return f"{self.description}: {self.remedy}" if self.remedy else self.description


@dataclass(frozen=True)
class Refusal:
    """Why AWS would refuse a change, and what a person can do; `uncertain` if that is not certain."""

    reason: str
    hint: str
    uncertain: bool = False


def may_have_blockers(error: BaseException, unblocked_codes: Codes) -> bool:
    """Return whether a delete was refused in a way that blockers may explain: by none of `unblocked_codes`."""
    return categorize(error) is ErrorCategory.REFUSED and not matches_codes(error, unblocked_codes)


def are_permanent(blockers: Sequence[Blocker]) -> bool:
    """Return whether there are blockers and none of them will go while a run waits."""
    return bool(blockers) and not any(blocker.temporary for blocker in blockers)


def blocked_error(
    words: str, blockers: Sequence[Blocker], refusal: str = "", *, curable: bool = False
) -> ProvisionerError:
    """Return the error of a deletion that blockers prevent; its class depends on the blockers.

    Args:
        words: The resource, for the message.
        blockers: The blockers.
        refusal: What AWS answered, if a delete was refused.
        curable: Whether that answer is temporary.

    """
    lasting = [blocker for blocker in blockers if not blocker.temporary]
    listed = "; ".join(str(blocker) for blocker in lasting or blockers)
    notes = [f"{note}." for note in dict.fromkeys(blocker.note for blocker in lasting) if note]
    answer = f" ({refusal})" if refusal else ""
    if lasting and all(blocker.deferred for blocker in lasting):
        hint = "Once that has ended, run the same command again: it deletes what is left."
        return CooldownActive(f"{words} is held by {listed}{answer}.", "\n".join([*notes, hint]))
    if not lasting and curable:
        hint = "That goes by itself. Nothing is lost: run the same command again, and it waits on."
        return WaitTimeout(f"{words} is held by {listed}{answer}.", hint)
    whose = "what is not this stack's: " if lasting else ""
    hint = "Delete or detach that, then run the same command again."
    return Blocked(f"{words} is held by {whose}{listed}{answer}.", "\n".join([*notes, hint]))


def matches_codes(error: BaseException, curable: Codes) -> bool:
    """Return whether the error has one of these codes, and its message contains the phrase after the code.

    A code may be written `Code: phrase`; the code `*` stands for any.
    """
    code, message = code_of(error), str(error).lower()
    for curable_code in curable:
        name, _, phrase = curable_code.partition(": ")
        if name in (code, "*") and phrase.lower() in message:
            return True
    return False
