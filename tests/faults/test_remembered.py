"""What is told again without asking is what asking would tell, in a whole life at AWS's own speed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from provisioner.emulator.server import LocalAws
from tests.faults.case import APPLY, TEARDOWN
from tests.faults.remembered import CachedReads, Key
from tests.faults.world import World

# Who asked, and a time that AWS tells again each second: neither is an answer.
RESTLESS = {"ResponseMetadata", "LatestRestorableTime", "RequestId"}


class Distrustful(CachedReads):
    """Asks all the same, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Key, Any] = {}
        self.differ: list[tuple[Key, Any, Any]] = []

    def answer(self, key: Key) -> tuple[AWSResponse, Any] | None:
        """Nothing is known."""
        if told := super().answer(key):
            self._known[key] = settled(told[1])
        return None

    def keep(self, key: Key, response: AWSResponse, parsed: Any) -> None:
        """Compare with what would have been told."""
        known, asked = self._known.pop(key, None), settled(parsed)
        if known not in (None, asked):
            self.differ.append((key, known, asked))
        super().keep(key, response, parsed)


def settled(answer: Any) -> Any:
    """An answer without what is never the same."""
    if isinstance(answer, dict):
        return {name: settled(value) for name, value in answer.items() if name not in RESTLESS}
    return [settled(one) for one in answer] if isinstance(answer, list) else answer


@pytest.fixture
def world(served: LocalAws, tmp_path: Path) -> Iterator[World]:
    """A user before an empty AWS, all of whose answers are asked for."""
    world = World(served.emulator, tmp_path / "home")
    world.wire.remembered = Distrustful()
    with world.entered() as entered:
        yield entered
    served.reset()


def test_an_answer_that_is_told_again_is_what_aws_would_tell(world: World) -> None:
    assert world.run(APPLY) == 0, world.said
    assert world.run(TEARDOWN) == 0, world.said

    assert world.wire.remembered.hits > 300
    assert isinstance(world.wire.remembered, Distrustful)
    assert world.wire.remembered.differ == []
