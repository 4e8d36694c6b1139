"""Whole processes that are killed, stopped, refused or not alone; the same command again goes on."""

from __future__ import annotations

import dataclasses
import random
import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from tests.faults.judge import Held, compare, held
from tests.faults.seeds import SEED
from tests.support.shared_state import BUCKET, make_bucket
from tests.support.user import CommandResult, User

EVER = 10**6
HERE = ("--local", "--yes", "--suffix", "a")
# One of each way in which AWS tells a thing from its twin: tags, a token, a name, a number.
MADE = [
    "ec2:CreateVpc",
    "ec2:AllocateAddress",
    "ec2:CreateSubnet",
    "ec2:CreateInternetGateway",
    "ec2:CreateNatGateway",
    "ec2:AuthorizeSecurityGroupIngress",
    "rds:CreateDBCluster",
    "elbv2:CreateRule",
    "ecs:RegisterTaskDefinition",
    "ecs:CreateService",
    "cloudfront:CreateDistributionWithTags",
]
ENDED = ["ec2:DeleteNatGateway", "rds:DeleteDBCluster", "cloudfront:UpdateDistribution", "ec2:DeleteVpc"]
KILLS = ["kill_before", "kill_after"]
dice = random.Random(SEED)
CHOSEN = [(dice.choice(KILLS), one) for one in dice.sample(MADE, 1)]
TORN = dice.choice(MADE)
STOPPED = [(dice.choice(KILLS), dice.choice(ENDED))]
LAPSED = dice.randint(2, 60)
PATIENCE: tuple[str, ...] = dice.choice([(), ("--lock-timeout", "60s")])
MOMENT = dice.uniform(0.5, 3.0)


@dataclass(frozen=True)
class Account:
    """What an undisturbed run makes of an account."""

    clean: Held
    empty: Held


@pytest.fixture(scope="module")
def account(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Account:
    user = User.before(served, tmp_path_factory.mktemp("account"))
    make_bucket(served)
    user.apply("a")
    clean = look(user)
    user.teardown("a")
    return Account(clean, look(user))


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def user(request: pytest.FixtureRequest, user: User) -> User:
    """A user whose state is in a folder, or in a bucket; the bucket stands either way."""
    make_bucket(user.box)
    if request.param == "folder":
        return user
    return dataclasses.replace(user, environment={"MLAPI_STATE": f"s3://{BUCKET}/state"})


def look(user: User) -> Held:
    """What is there when nothing new hides any more."""
    user.box.advance(1.0)
    return held(user.box.endpoint)


def struck(user: User, verb: str, **order: Any) -> CommandResult:
    """One command as a process, which meets a fault."""
    with user.spawn(verb, *HERE) as process:
        user.box.faults({**order, "pid": process.pid})
        out, err = process.communicate(timeout=120)
    user.box.faults()
    return CommandResult(process.returncode, out, err)


@pytest.mark.parametrize(("fault", "operation"), CHOSEN)
def test_an_apply_that_is_killed_is_taken_up_at_once(account: Account, user: User, fault: str, operation: str) -> None:
    ran = struck(user, "apply", operation=operation, fault=fault)

    assert ran.code == -signal.SIGKILL, ran.err
    user.apply("a")
    assert compare(look(user), account.clean).is_none


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "operation"), STOPPED)
def test_a_teardown_that_is_killed_is_taken_up_at_once(
    account: Account, user: User, fault: str, operation: str
) -> None:
    user.apply("a")
    ran = struck(user, "teardown", operation=operation, fault=fault)

    assert ran.code == -signal.SIGKILL, ran.err
    user.teardown("a")
    assert compare(look(user), account.empty).is_none


@pytest.mark.slow
def test_an_apply_that_is_killed_can_be_torn_down_at_once(account: Account, user: User) -> None:
    ran = struck(user, "apply", operation=TORN, fault="kill_after")

    assert ran.code == -signal.SIGKILL, ran.err
    user.teardown("a")
    assert compare(look(user), account.empty).is_none


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_any_time_ends_an_apply_with_its_code(
    account: Account, user: User, number: signal.Signals, code: int
) -> None:
    user.slow(0.02)
    with user.spawn("apply", *HERE) as process:
        time.sleep(MOMENT)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    user.slow(0.0)

    assert process.returncode == code, f"after {MOMENT:.2f} s: {err}"
    assert "Traceback" not in err
    user.apply("a")
    assert compare(look(user), account.clean).is_none


def test_a_right_that_is_missing_stops_only_what_needs_it(account: Account, user: User) -> None:
    ran = struck(user, "apply", operation="dynamodb:CreateTable", fault="access_denied", times=EVER)

    assert ran.code == 4, ran.err
    assert "Give these credentials the right dynamodb:CreateTable, then run the same command again." in ran.err
    type_names = {type_name for type_name, _ in look(user)}
    assert {"nat gateway", "db instance", "balancer", "distribution"} <= type_names
    assert "table" not in type_names
    user.apply("a")
    assert compare(look(user), account.clean).is_none


@pytest.mark.slow
def test_credentials_that_expire_end_a_run_that_can_be_resumed(account: Account, user: User) -> None:
    ran = struck(user, "apply", at=LAPSED, fault="expired", times=EVER)

    assert ran.code == 3, ran.err
    assert "AWS does not accept these credentials" in ran.err
    user.apply("a")
    assert compare(look(user), account.clean).is_none


@pytest.mark.slow
def test_two_applies_at_once_make_one_stack(account: Account, user: User) -> None:
    with user.spawn("apply", *HERE, *PATIENCE) as one, user.spawn("apply", *HERE, *PATIENCE) as other:
        told = [process.communicate(timeout=120)[1] for process in (one, other)]

    codes = sorted((one.returncode, other.returncode))
    assert codes in ([0, 0], [0, 0] if PATIENCE else [0, 7]), told
    if codes == [0, 7]:
        assert any("This stack is being changed by `apply`" in err for err in told)
    assert compare(look(user), account.clean).is_none
