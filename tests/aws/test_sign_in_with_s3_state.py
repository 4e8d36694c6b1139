"""A sign-in that ends in mid-run, with the state in S3: calls of the stack and writes of the state go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.aws.test_credentials import no_terminal, user_with_config
from tests.aws.test_sign_in import LOG_GROUPS, LOGS, OfSso, front, groups, plain, sso
from tests.support.fault_proxy import Answer, FaultProxy, plays
from tests.support.fault_proxy.front import Ask, SeenRequest
from tests.support.user import User
from tests.terminal.test_terminal import terminal

__all__ = ["front", "sso"]

STATE = "s3://team-state/ml"
# What AWS says to keys that are over: S3 says it in a code of its own (S3 API, error responses).
CODES = {"s3": "ExpiredToken", "logs": "ExpiredTokenException"}


def ends_at(front: FaultProxy, one: OfSso, service: str, operation: str, nth: int) -> None:
    """Let the sign-in be over from that call on: AWS takes no keys that were given before."""

    def over(seen: SeenRequest, ask: Ask) -> Answer:
        if one.file.exists():
            one.over()
        return plays.refusal(CODES[service], 400, "The security token is expired")(seen, ask)

    front.order(over, service=service, operation=operation, nth=nth)


def member(desk: User, front: FaultProxy, tmp_path: Path, sso: OfSso) -> User:
    """One of a team, signed in, with the team's state in S3."""
    sso.make()
    front.order(sso.give, path="/federation/credentials", times=10**6)
    mine = user_with_config(desk, front, tmp_path, sso.config, AWS_PROFILE="p", MLAPI_STATE=STATE)
    assert no_terminal(mine, "state", "init", "--yes").code == 0
    return mine


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "operation", "nth"),
    [("logs", "CreateLogGroup", 1), ("s3", "PutObject", 4), ("s3", "PutObject", 7)],
)
def test_the_stack_and_its_state_wait_for_a_new_sign_in(
    user: User, front: FaultProxy, tmp_path: Path, sso: OfSso, service: str, operation: str, nth: int
) -> None:
    mine = member(user, front, tmp_path, sso)
    ends_at(front, sso, service, operation, nth)

    with terminal(mine, *LOGS, local=False, **mine.environment) as person:
        person.until("goes on by itself")
        sso.make()
        assert person.ends() == 0, person.seen

    assert plain(person.seen).count("Sign in again") == 1
    assert "words" not in person.seen
    assert len(groups(user)) == len(set(groups(user))) == LOG_GROUPS
    kept = json.loads(no_terminal(mine, "state", "pull", "--suffix", "a").out)
    assert {one["phase"] for one in kept["entries"].values()} == {"ready"}
    assert len(kept["entries"]) >= LOG_GROUPS
    again = no_terminal(mine, *LOGS)
    assert again.code == 0, again.err
    assert len(groups(user)) == LOG_GROUPS


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "nth"), [("PutObject", 2), ("GetObject", 4)])
def test_one_that_ends_before_the_first_change_leaves_no_lock(
    user: User, front: FaultProxy, tmp_path: Path, sso: OfSso, operation: str, nth: int
) -> None:
    mine = member(user, front, tmp_path, sso)
    ends_at(front, sso, "s3", operation, nth)

    ran = no_terminal(mine, *LOGS)

    assert ran.code == 3, ran.err
    assert sso.command in ran.err
    assert "words" not in ran.err
    sso.make()
    again = no_terminal(mine, *LOGS)
    assert again.code == 0, again.err
    assert len(groups(user)) == len(set(groups(user))) == LOG_GROUPS
