"""A cached reply equals the reply to a new call, in a whole life at the speed of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from provisioner.emulator.server import LocalAws
from tests.faults.cached_reads import CachedReads, Key
from tests.faults.fault_case import APPLY, TEARDOWN
from tests.faults.world import World

# Members that differ in each reply.
VOLATILE = {"ResponseMetadata", "LatestRestorableTime", "RequestId"}


class ComparedReads(CachedReads):
    """Makes every call all the same, and compares its reply with the cached one."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Key, Any] = {}
        self.differences: list[tuple[Key, Any, Any]] = []

    def get(self, key: Key) -> tuple[AWSResponse, Any] | None:
        """Note the cached reply, and return None so that the call is made."""
        if cached := super().get(key):
            self._known[key] = without_volatile(cached[1])
        return None

    def put(self, key: Key, response: AWSResponse, parsed: Any) -> None:
        """Compare with the cached reply."""
        known, new = self._known.pop(key, None), without_volatile(parsed)
        if known not in (None, new):
            self.differences.append((key, known, new))
        super().put(key, response, parsed)


def without_volatile(reply: Any) -> Any:
    """Return a reply without the members that differ each time."""
    if isinstance(reply, dict):
        return {name: without_volatile(value) for name, value in reply.items() if name not in VOLATILE}
    return [without_volatile(one) for one in reply] if isinstance(reply, list) else reply


@pytest.fixture
def world(served: LocalAws, tmp_path: Path) -> Iterator[World]:
    """A user with an empty account whose cached replies are compared with new ones."""
    world = World(served.emulator, tmp_path / "home")
    world.wire.cached_reads = ComparedReads()
    with world.active() as entered:
        yield entered
    served.reset()


def test_a_cached_reply_equals_a_new_one(world: World) -> None:
    assert world.run(APPLY) == 0, world.error_text
    assert world.run(TEARDOWN) == 0, world.error_text

    assert world.wire.cached_reads.hits > 300
    assert isinstance(world.wire.cached_reads, ComparedReads)
    assert world.wire.cached_reads.differences == []
