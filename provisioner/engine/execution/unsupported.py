"""Resources that a third-party emulator does not support: they are skipped and reported. AWS has them all."""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.engine.calls.clients import Clients
from provisioner.engine.execution.events import Event, Listener
from provisioner.engine.execution.managed_resource import ManagedResource, is_unsupported_call, read
from provisioner.engine.types.blocker import matches_codes


class UnsupportedResources:
    """The resources that a run skips because the emulator does not support them; shared by all threads."""

    def __init__(self, clients: Clients, publish: Listener) -> None:
        self.clients = clients
        self.publish = publish
        # The resources that were skipped: they never become ready, so nothing waits for them.
        self.logical_ids: set[str] = set()

    def try_skip(self, managed: ManagedResource, action: str, error: BaseException) -> bool:
        """Return whether a failed call can be skipped on this emulator, and report the resource if so.

        A create is only skipped if the id can be made of the properties, because other resources may need it.
        """
        if action == "create" and not _has_id_in_properties(managed):
            return False
        if not is_unsupported_call(self.clients, managed, error) and not self._exists_under_other_name(managed, error):
            return False
        self.logical_ids.add(managed.spec.logical_id)
        self.publish(
            Event(
                "note", managed.spec.logical_id, action, f"not on this emulator: {managed.description} is passed over"
            )
        )
        return True

    def _exists_under_other_name(self, managed: ManagedResource, error: BaseException) -> bool:
        """Return whether an account-wide resource exists under another name that only this emulator gives it.

        ministack 1.5.33 gives the service-linked roles of two services the same name if the services' names
        begin with the same word.
        """
        is_there = managed.type.account_wide and matches_codes(error, managed.type.already_exists_codes)
        return is_there and not self.clients.aws.is_faithful and read(self.clients, managed) is None


def describe_unsupported(names: Iterable[str]) -> list[str]:
    """Return the plan's note about the resources that an emulator does not support, or nothing."""
    listed = sorted(names)
    return [f"Not on this emulator, and passed over: {', '.join(listed)}."] if listed else []


def _has_id_in_properties(managed: ManagedResource) -> bool:
    return "None" not in managed.type.id_of(managed.spec.props).split("|")
