"""The connections to AWS of one command: one for each region, made when it is first asked for."""

from __future__ import annotations

import functools

from provisioner.aws import Aws
from provisioner.embedded.local import Local
from provisioner.embedded.local import start as start_embedded
from provisioner.engine.calls.caller import called_by
from provisioner.workspace import Workspace
from state.stack_state import StackLocation


class Ways:
    """A command's connections by region, each with its location, which is looked up once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, tuple[Aws, StackLocation]] = {}

    @functools.cached_property
    def local(self) -> Local | None:
        """The emulator, which is started if necessary; None for AWS itself."""
        if not self._workspace.local:
            return None
        return self._workspace.state_holder() or start_embedded(self._workspace.embedded)

    def to(self, region: str) -> tuple[Aws, StackLocation]:
        """Return the connection to a region, and its location; the first time, calls GetCallerIdentity."""
        if region not in self._known:
            aws = Aws(region, self.local)
            self._known[region] = aws, called_by(aws)
        return self._known[region]
