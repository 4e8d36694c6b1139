"""Why AWS does not take a call yet: it must finish something first, or somebody holds the resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisioner.engine.faults import Fault, code_of, fault_of
from provisioner.engine.traits import Codes
from provisioner.errors import Blocked, NotBefore, OutOfPatience, ProvisionerError


class NotYet(Exception):
    """AWS must finish a step first: the engine calls the verb again, about `due` seconds later."""

    def __init__(self, why: str, due: float = 0) -> None:
        super().__init__(why)
        self.due = due


class Foreign(Blocked):
    """What stands where ours was to be is somebody else's."""


@dataclass(frozen=True)
class Holder:
    """What keeps a resource from being deleted; `passing` where AWS, or this very run, will let go of it."""

    what: str
    passing: bool
    # What a person does about it, and when it can go; "" where nothing more is known than who it is.
    remedy: str = ""
    # AWS did not let it be asked: told to a person, and no reason to give up.
    doubtful: bool = False
    # It ends on a day of its own, or by a deed of the account's owner that takes effect later: a contract, a
    # retention. Nothing but time is missing then.
    later: bool = False
    # What else a person has to know; told once for all holders that share it.
    note: str = ""
    # The id of the resource that it is a part of: where that goes, it goes along.
    part_of: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}" if self.remedy else self.what


@dataclass(frozen=True)
class Refusal:
    """Why AWS would refuse a change, and what a person does; `doubtful` where nobody knows for sure."""

    what: str
    hint: str
    doubtful: bool = False


def names_holders(error: BaseException, unheld: Codes) -> bool:
    """Return whether AWS refused a delete, and not by a code of `unheld`: a holder may be why."""
    return fault_of(error) is Fault.REFUSED and not is_named(error, unheld)


def waiting_is_vain(holders: Sequence[Holder]) -> bool:
    """Return whether no holder lets go while a run waits."""
    return bool(holders) and not any(holder.passing for holder in holders)


def held_up(
    words: str, holders: Sequence[Holder], refusal: str = "", *, curable: bool = False
) -> ProvisionerError:
    """Return the error of a delete that holders prevent: they decide how it ends, whatever path found them.

    `words` names the resource, `refusal` is what AWS answered; `curable` says that time cures that answer.
    """
    lasting = [holder for holder in holders if not holder.passing]
    told = "; ".join(str(holder) for holder in lasting or holders)
    notes = [f"{note}." for note in dict.fromkeys(holder.note for holder in lasting) if note]
    said = f" ({refusal})" if refusal else ""
    if lasting and all(holder.later for holder in lasting):
        hint = "Once that has ended, run the same command again: it deletes what is left."
        return NotBefore(f"{words} is held by {told}{said}.", "\n".join([*notes, hint]))
    if not lasting and curable:
        hint = "That goes by itself. Nothing is lost: run the same command again, and it waits on."
        return OutOfPatience(f"{words} is held by {told}{said}.", hint)
    whose = "what is not this stack's: " if lasting else ""
    hint = "Delete or detach that, then run the same command again."
    return Blocked(f"{words} is held by {whose}{told}{said}.", "\n".join([*notes, hint]))


def is_named(error: BaseException, curable: Codes) -> bool:
    """Whether the error is one of those codes, and its message has the phrase that goes with the code.

    "*" stands for every code, where a message is all that is known of a refusal.
    """
    code, message = code_of(error), str(error).lower()
    for one in curable:
        name, _, phrase = one.partition(": ")
        if name in (code, "*") and phrase.lower() in message:
            return True
    return False
