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
from tests.faults.account_difference import Inventory, compare, inventory_of
from tests.faults.seeds import SEED
from tests.support.shared_state import BUCKET, make_bucket
from tests.support.user import CommandResult, User

EVERY_TIME = 10**6
HERE = ("--local", "--yes", "--suffix", "a")
# One operation for each way to find out whether it took effect: tags, a token, a name, a number.
CREATIONS = [
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
DELETIONS = ["ec2:DeleteNatGateway", "rds:DeleteDBCluster", "cloudfront:UpdateDistribution", "ec2:DeleteVpc"]
KILLS = ["kill_before", "kill_after"]
chance = random.Random(SEED)
CHOSEN = [(chance.choice(KILLS), one) for one in chance.sample(CREATIONS, 1)]
TORN_DOWN_AFTER = chance.choice(CREATIONS)
STOPPED = [(chance.choice(KILLS), chance.choice(DELETIONS))]
EXPIRES_AT = chance.randint(2, 60)
LOCK_TIMEOUT: tuple[str, ...] = chance.choice([(), ("--lock-timeout", "60s")])
MOMENT = chance.uniform(0.5, 3.0)


@dataclass(frozen=True)
class Account:
    """The inventories of an account after undisturbed runs."""

    after_apply: Inventory
    after_teardown: Inventory


@pytest.fixture(scope="module")
def account(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Account:
    user = User.before(served, tmp_path_factory.mktemp("account"))
    make_bucket(served)
    user.apply("a")
    after_apply = inventory(user)
    user.teardown("a")
    return Account(after_apply, inventory(user))


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def user(request: pytest.FixtureRequest, user: User) -> User:
    """A user whose state is in a folder or in a bucket; the bucket exists in both cases."""
    make_bucket(user.box)
    if request.param == "folder":
        return user
    return dataclasses.replace(user, environment={"MLAPI_STATE": f"s3://{BUCKET}/state"})


def inventory(user: User) -> Inventory:
    """Return the inventory of the account once all that is new is visible."""
    user.box.advance(1.0)
    return inventory_of(user.box.endpoint)


def run_with_fault(user: User, verb: str, **fault: Any) -> CommandResult:
    """Run one command as a process that meets a fault."""
    with user.spawn(verb, *HERE) as process:
        user.box.faults({**fault, "pid": process.pid})
        out, err = process.communicate(timeout=120)
    user.box.faults()
    return CommandResult(process.returncode, out, err)


@pytest.mark.parametrize(("fault", "operation"), CHOSEN)
def test_an_apply_that_is_killed_is_taken_up_at_once(account: Account, user: User, fault: str, operation: str) -> None:
    ran = run_with_fault(user, "apply", operation=operation, fault=fault)

    assert ran.code == -signal.SIGKILL, ran.err
    user.apply("a")
    assert compare(inventory(user), account.after_apply).is_empty


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "operation"), STOPPED)
def test_a_teardown_that_is_killed_is_taken_up_at_once(
    account: Account, user: User, fault: str, operation: str
) -> None:
    user.apply("a")
    ran = run_with_fault(user, "teardown", operation=operation, fault=fault)

    assert ran.code == -signal.SIGKILL, ran.err
    user.teardown("a")
    assert compare(inventory(user), account.after_teardown).is_empty


@pytest.mark.slow
def test_an_apply_that_is_killed_can_be_torn_down_at_once(account: Account, user: User) -> None:
    ran = run_with_fault(user, "apply", operation=TORN_DOWN_AFTER, fault="kill_after")

    assert ran.code == -signal.SIGKILL, ran.err
    user.teardown("a")
    assert compare(inventory(user), account.after_teardown).is_empty


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
    assert compare(inventory(user), account.after_apply).is_empty


def test_a_right_that_is_missing_stops_only_what_needs_it(account: Account, user: User) -> None:
    ran = run_with_fault(user, "apply", operation="dynamodb:CreateTable", fault="access_denied", times=EVERY_TIME)

    assert ran.code == 4, ran.err
    assert "Give these credentials the right dynamodb:CreateTable, then run the same command again." in ran.err
    type_names = {type_name for type_name, _ in inventory(user)}
    assert {"nat gateway", "db instance", "balancer", "distribution"} <= type_names
    assert "table" not in type_names
    user.apply("a")
    assert compare(inventory(user), account.after_apply).is_empty


@pytest.mark.slow
def test_credentials_that_expire_end_a_run_that_can_be_resumed(account: Account, user: User) -> None:
    ran = run_with_fault(user, "apply", at=EXPIRES_AT, fault="expired", times=EVERY_TIME)

    assert ran.code == 3, ran.err
    assert "AWS does not accept these credentials" in ran.err
    user.apply("a")
    assert compare(inventory(user), account.after_apply).is_empty


@pytest.mark.slow
def test_two_applies_at_once_make_one_stack(account: Account, user: User) -> None:
    with user.spawn("apply", *HERE, *LOCK_TIMEOUT) as one, user.spawn("apply", *HERE, *LOCK_TIMEOUT) as other:
        errors = [process.communicate(timeout=120)[1] for process in (one, other)]

    codes = sorted((one.returncode, other.returncode))
    assert codes in ([0, 0], [0, 0] if LOCK_TIMEOUT else [0, 7]), errors
    if codes == [0, 7]:
        assert any("This stack is being changed by `apply`" in err for err in errors)
    assert compare(inventory(user), account.after_apply).is_empty
