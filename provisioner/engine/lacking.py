"""What other people's emulators have nothing like: passed over, and told; AWS lacks none of it."""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.engine.clients import Clients
from provisioner.engine.events import Event, Listener
from provisioner.engine.refused import is_named
from provisioner.engine.target import Target, lacks, read


class Lacking:
    """Passes over what the emulator lacks; shared by all threads of a run."""

    def __init__(self, clients: Clients, listen: Listener) -> None:
        self.clients = clients
        self.listen = listen
        # The nodes that were passed over: nothing is waited for that never comes.
        self.nodes: set[str] = set()

    def passes(self, target: Target, verb: str, error: BaseException) -> bool:
        """Return whether a call that failed is passed over, and tell of it.

        What is made is passed over only where its id is made of what was asked for: what comes after it may
        need an id that nobody gives.
        """
        if verb == "create" and not _names_itself(target):
            return False
        if not lacks(self.clients, target, error) and not self._serves(target, error):
            return False
        self.nodes.add(target.it.node)
        self.listen(
            Event("note", target.it.node, verb, f"not on this emulator: {target.words} is passed over")
        )
        return True

    def _serves(self, target: Target, error: BaseException) -> bool:
        """Return whether what belongs to the account is there under a name that only this emulator gives it.

        ministack 1.5.33 calls the roles of two services of one first word alike.
        """
        is_there = target.kind.shared and is_named(error, target.kind.duplicate)
        return is_there and not self.clients.aws.echoes and read(self.clients, target) is None


def told_as_lacking(names: Iterable[str]) -> list[str]:
    """Return what a plan says of the resources that an emulator lacks, in a sentence; nothing of none."""
    listed = sorted(names)
    return [f"Not on this emulator, and passed over: {', '.join(listed)}."] if listed else []


def _names_itself(target: Target) -> bool:
    return "None" not in target.kind.id_of(target.it.props).split("|")
