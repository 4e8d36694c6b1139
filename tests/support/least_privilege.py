"""A command that is run with no more rights than `policy` prints for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provisioner.iam.evaluator import Request, Verdict, verdict
from tests.support.live_stack import ACCOUNT
from tests.support.user import User


def printed(user: User, purpose: str, suffix: str, *more: str) -> list[dict[str, Any]]:
    """What `policy` prints."""
    told = ("--for", purpose, "--suffix", suffix, "--expect-account", ACCOUNT, "--json", *more)
    return list(user.well("policy", *told).lines[0]["policies"])


@contextmanager
def exactly(user: User, purpose: str, suffix: str, *more: str) -> Iterator[list[Request]]:
    """Hold whoever asks to the policy of `purpose`; tell at the end what was asked. Nothing may be denied."""
    given = printed(user, purpose, suffix, *more)
    asked: list[Request] = []
    user.box.authorise(*given)
    try:
        yield asked
        authoriser = user.box.emulator.authoriser
        asked += authoriser.decided_requests if authoriser else []
    finally:
        user.box.authorise()
    assert asked
    assert [one for one in asked if verdict(given, one) is not Verdict.ALLOWED] == []
