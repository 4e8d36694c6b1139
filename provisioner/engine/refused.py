"""Why AWS does not take a call yet: it must finish something first, or somebody holds the resource."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.faults import code_of
from provisioner.engine.traits import Codes
from provisioner.errors import Blocked


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


def is_named(error: BaseException, curable: Codes) -> bool:
    """Whether the error is one of those codes, and its message has the phrase that goes with the code."""
    code, message = code_of(error), str(error).lower()
    for one in curable:
        name, _, phrase = one.partition(": ")
        if code == name and phrase.lower() in message:
            return True
    return False
