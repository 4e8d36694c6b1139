"""A command that is run with no more rights than `policy` prints for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provisioner.iam.evaluator import Request, Verdict, verdict
from tests.harness import Desk
from tests.standing import ACCOUNT


def printed(desk: Desk, purpose: str, suffix: str, *more: str) -> list[dict[str, Any]]:
    """What `policy` prints."""
    told = ("--for", purpose, "--suffix", suffix, "--expect-account", ACCOUNT, "--json", *more)
    return list(desk.well("policy", *told).lines[0]["policies"])


@contextmanager
def exactly(desk: Desk, purpose: str, suffix: str, *more: str) -> Iterator[list[Request]]:
    """Hold whoever asks to the policy of `purpose`; tell at the end what was asked. Nothing may be denied."""
    given = printed(desk, purpose, suffix, *more)
    asked: list[Request] = []
    desk.box.authorise(*given)
    try:
        yield asked
        authoriser = desk.box.box.authoriser
        asked += authoriser.asked if authoriser else []
    finally:
        desk.box.authorise()
    assert asked
    assert [one for one in asked if verdict(given, one) is not Verdict.ALLOWED] == []
