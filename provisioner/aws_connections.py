"""The connections to AWS of one command: one for each region, made when it is first asked for."""

from __future__ import annotations

import functools

from provisioner.aws_connection import AwsConnection
from provisioner.emulator.local import RunningEmulator
from provisioner.emulator.local import start as start_embedded
from provisioner.engine.calls.caller import called_by
from provisioner.workspace import Workspace
from state.stack_state import StackLocation


class AwsConnections:
    """A command's connections by region, each with its location, which is looked up once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, tuple[AwsConnection, StackLocation]] = {}

    @functools.cached_property
    def local(self) -> RunningEmulator | None:
        """The emulator, which is started if necessary; None for AWS itself."""
        if not self._workspace.is_local:
            return None
        return self._workspace.state_holder() or start_embedded(self._workspace.embedded)

    def in_region(self, region: str) -> tuple[AwsConnection, StackLocation]:
        """Return the connection to a region, and its location; the first time, calls GetCallerIdentity."""
        if region not in self._known:
            connection = AwsConnection(region, self.local)
            self._known[region] = connection, called_by(connection)
        return self._known[region]
