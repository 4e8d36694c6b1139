"""What is done to a stack by hand is told by `drift`, planned for, and mended by one `apply`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hands import ALTERED, DELETED, Hand
from tests.standing import SUFFIX, Standing


def drift(stack: Standing, *more: str) -> dict[str, dict[str, Any]]:
    """What `drift` tells, by node."""
    (told,) = stack.desk.well("drift", "--suffix", SUFFIX, "--json", *more).lines
    assert (told["type"], told["format_version"]) == ("drift", 1)
    return {one["node"]: one for one in told["drift"]}


def plan(stack: Standing, *more: str) -> dict[str, str]:
    """What `plan` would do, by node."""
    (told,) = stack.desk.well("plan", "--suffix", SUFFIX, "--json", *more).lines
    return {one["node"]: one["action"] for one in told["changes"]}


@pytest.mark.parametrize("hands", [ALTERED, DELETED], ids=["altered", "deleted"])
def test_what_is_done_by_hand_is_told_planned_and_mended(standing: Standing, hands: list[Hand]) -> None:
    assert drift(standing) == {}
    mark = standing.desk.mark()
    for hand in hands:
        hand.act(standing)

    told, planned = drift(standing), plan(standing)

    assert {hand.node: hand.what for hand in hands}.items() <= {
        node: one["what"] for node, one in told.items()
    }.items()
    assert {hand.node: hand.verb for hand in hands}.items() <= planned.items()
    assert standing.desk.run("drift", "--suffix", SUFFIX, "--detailed-exitcode").code == 2
    assert len(standing.desk.tries(mark)) >= len(hands)
    standing.desk.apply(SUFFIX)
    assert drift(standing) == {}
