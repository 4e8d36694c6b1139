"""What was just made is not known everywhere: a refusal for its sake passes; one that stays is told."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.behaviours import iam
from provisioner.engine.execution import consistency
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ec2.security_groups import SecurityGroup
from provisioner.resources.iam import Role
from provisioner.resources.kms import Key
from provisioner.resources.secretsmanager import Secret
from state.stack_state import ResourceState
from tests.cli.test_run_and_scale import run
from tests.engine.test_retry_policy import CHANGE, Slow, failing, hands, target
from tests.engine.test_waiter import Hurried
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

ARN = "arn:aws:iam::123456789012:role/ml-api-execution-role-prod"
KEY = "arn:aws:kms:us-east-1:123456789012:key/5d0c3a1e-0000-4000-8000-000000000000"
GROUP = "sg-0123456789abcdef0"
SECRET = "ml-api-dbsecret-prod/master"


def newborn(resource_type: ResourceType, name: str, id_: str) -> ManagedResource:
    return ManagedResource(resource_type, ResourceSpec("newborn", name, "prod", id=id_))


ROLE = newborn(Role(), "ml-api-execution-role-prod", "ml-api-execution-role-prod")
YOUNG = {
    "role": ROLE,
    "key": newborn(Key(), "ml-api-key-prod", KEY),
    "group": newborn(SecurityGroup(), "ml-api-sg-tasks-prod", GROUP),
    "secret": newborn(Secret(), SECRET, f"arn:aws:secretsmanager:us-east-1:1:secret:{SECRET}-AbCdEf"),
}


def denied(action: str, arn: str) -> str:
    """What AWS says of a right that is missing."""
    return f"User: arn:aws:sts::1:assumed-role/ci/x is not authorized to perform: {action} on resource: {arn} b"


def refused(code: str, message: str, operation: str = "Call") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


# Each call that takes a role says so in its own words, which do not name it.
UNNAMED = [("role", code, message) for code, message in dict.fromkeys(iam.UNKNOWN.values()) if code]
NAMED = [
    ("role", "AccessDeniedException", denied("iam:PassRole", ARN)),
    ("role", "UnauthorizedOperation", f"You are not authorized. {denied('iam:PassRole', ARN)}"),
    ("role", "InvalidParameterException", f"Unable to assume role and validate: {ARN}."),
    ("key", "KMSKeyNotAccessibleFault", "The specified KMS key does not exist or you do not have access."),
    ("key", "AccessDeniedException", denied("kms:CreateGrant", KEY)),
    ("key", "ValidationException", f"Key {KEY} is not usable"),
    ("group", "InvalidSecurityGroup", f"The security group '{GROUP}' does not exist"),
    ("group", "UnauthorizedOperation", denied("ec2:x", f"arn:aws:ec2:us-east-1:1:security-group/{GROUP}")),
    ("secret", "InvalidParameterException", f"The secret {SECRET} is not known"),
]
LASTING = [
    ("role", "EntityAlreadyExists", "Role with name ml-api-execution-role-prod already exists."),
    ("role", "LimitExceededException", f"Too many policies on {ARN}"),
    ("role", "AccessDeniedException", denied("iam:PassRole", f"{ARN}-b")),
    ("role", "ClientException", "Too many containers"),
    ("group", "InvalidPermission.Duplicate", f"the rule already exists in {GROUP}"),
]


def tried(error: Exception, new: ManagedResource | None, made: float) -> float:
    """For how long an update was asked for, that was refused each time for the sake of what was made then."""
    clock = Hurried()
    start, mine = clock.time, hands(clock)
    if new:
        mine.resource_calls.recent.add(new, clock.wall() - made if made else 0.0)
    with pytest.raises(ClientError) as told:
        mine.update(target(Slow(failing(error))), CHANGE)
    assert told.value is error
    return clock.time - start


@pytest.mark.parametrize(("what", "code", "message"), [*UNNAMED, *NAMED])
def test_a_refusal_for_the_sake_of_something_new_is_waited_out_and_no_longer(
    what: str, code: str, message: str
) -> None:
    error = refused(code, message)

    assert 125 <= tried(error, YOUNG[what], 0) <= 140
    assert 25 <= tried(error, YOUNG[what], 100) <= 40
    assert tried(error, YOUNG[what], 200) == 0
    assert tried(error, None, 0) == 0


@pytest.mark.parametrize(("what", "code", "message"), LASTING)
def test_what_no_time_cures_is_told_at_once(what: str, code: str, message: str) -> None:
    assert tried(refused(code, message), YOUNG[what], 0) == 0


def test_an_end_is_not_kept_waiting_for_what_is_new() -> None:
    clock = Hurried()
    mine = hands(clock)
    mine.resource_calls.recent.add(ROLE)

    with pytest.raises(ClientError):
        mine.resource_calls.call(
            failing(refused("AccessDeniedException", denied("iam:PassRole", ARN))), target(Slow()), "delete"
        )

    assert clock.sleeps == []


@pytest.mark.parametrize(("age", "waits"), [(5, True), (400, False)])
def test_what_an_earlier_run_made_seconds_ago_is_as_new(age: float, waits: bool) -> None:
    clock = Hurried()
    mine = hands(clock)
    resource_state = ResourceState(
        "Role", "ml-api-execution-role-prod", id="ml-api-execution-role-prod", created_at=clock.wall() - age
    )
    mine.resource_calls.recent.add_recorded({"execution-role": resource_state}, RESOURCE_TYPES)

    error = refused("AccessDeniedException", denied("iam:PassRole", ARN))
    assert mine.resource_calls.recent.may_explain(error) is waits


@pytest.fixture
def shyest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every new role is refused twice, however slow this machine is."""
    monkeypatch.setattr(iam, "AT_LEAST", 60.0)
    monkeypatch.setattr(consistency, "SLACK_SECONDS", 60.0)
    really = iam.NewRole.__init__

    def init(self: iam.NewRole, arn: str) -> None:
        really(self, arn, refusals_left=2)

    monkeypatch.setattr(iam.NewRole, "__init__", init)


@pytest.mark.parametrize("flags", [(), pytest.param(("--set", "profile=production"), marks=pytest.mark.slow)])
def test_roles_that_nobody_knows_yet_keep_no_apply_from_going_well(
    user: User, shyest: None, flags: tuple[str, ...]
) -> None:
    user.apply("a", *flags)

    failed = [one["error"] for one in user.box.calls() if one["operation"] == "RegisterTaskDefinition"]
    assert {*failed} == {"", "AccessDeniedException", "ClientException"}


def test_a_right_that_stays_missing_is_told_as_the_denial_it_is(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam.NewRole, "refuses", lambda _self: True)
    monkeypatch.setitem(iam.UNKNOWN, ("ecs", "RegisterTaskDefinition"), ("", ""))

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 4, ran.err
    assert "Give these credentials the right iam:PassRole" in ran.err


@pytest.mark.slow
def test_a_task_by_itself_waits_for_a_role_that_an_earlier_run_has_just_made(live_stack: LiveStack) -> None:
    arn = live_stack.task["executionRoleArn"]
    role = iam.NewRole(arn, refusals_left=2)
    iam.new_roles.at("123456789012", "")[arn] = role
    path = live_stack.desk.ledger(SUFFIX)
    known = json.loads(path.read_text())
    known["entries"]["execution-role"]["made"] = time.time()
    path.write_text(json.dumps(known))

    ran = run(live_stack, "migrate")

    assert (ran.code, role.refusals_left) == (0, 0), ran.err
