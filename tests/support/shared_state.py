"""The two places where a state can be: a folder, and a bucket that several machines share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from provisioner.bucket.address import Bucket
from provisioner.bucket.s3_object_store import S3ObjectStore
from provisioner.emulator.local import running_emulator
from provisioner.emulator.server import LocalAws
from provisioner.workspace import Workspace
from state.backend import Backend, FileBackend, S3Backend
from tests.support.account_inventory import client
from tests.support.memory_object_store import Ageing, Hands
from tests.support.user import User

BUCKET = "team-state"
PLACES = ["folder", "bucket"]


@dataclass
class Place:
    """One of the two, with a clock that the test turns."""

    workspace: Workspace
    archive: Backend
    clock: Hands
    shelf: Ageing | None = None

    @property
    def is_shared(self) -> bool:
        return self.shelf is not None

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find the same place."""
        found = {"MLAPI_HOME": str(self.workspace.home), "MLAPI_STATE": self.workspace.state_address}
        return {**os.environ, **found}


def make_bucket(box: LocalAws) -> None:
    """An empty bucket."""
    client(box.endpoint, "s3").create_bucket(Bucket=BUCKET)


def place_of(type_name: str, box: LocalAws, home: Path, prefix: str) -> Place:
    """A folder, or a prefix of the bucket that stands."""
    clock = Hands()
    if type_name == "folder":
        return Place(Workspace(home, is_local=True), FileBackend(home / "embedded"), clock)
    User(box, home)._point_at_the_box()
    workspace = Workspace(home, is_local=True, state_address=f"s3://{BUCKET}/{prefix}")
    bucket = Bucket.parse(workspace.state_address, running_emulator(workspace.emulator_folder))
    shelf = Ageing(S3ObjectStore(lambda: bucket.client, bucket.name), clock)
    return Place(workspace, S3Backend(shelf, f"s3://{BUCKET}/", bucket.prefix), clock, shelf)
