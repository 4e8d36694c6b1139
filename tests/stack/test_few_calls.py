"""How much is asked of AWS to find out that nothing is to be done, and what is noticed all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.resources import role_details
from state.stack_state import ResourceState, StackLocation, StackState
from tests.cli.test_startup import imported
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_changes import TASK_ROLE

NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
}


def asked(live_stack: LiveStack) -> list[str]:
    """The calls of one plan that has nothing to say."""
    mark = live_stack.desk.mark()
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"
    return [f"{call['service']}:{call['operation']}" for call in live_stack.desk.box.calls(mark)]


def test_nothing_to_do_costs_few_calls_and_none_that_changes(live_stack: LiveStack) -> None:
    mark = live_stack.desk.mark()
    calls = asked(live_stack)

    assert len(calls) <= 45
    assert live_stack.desk.tries(mark) == []
    assert "ecs:DescribeTaskDefinition" not in calls
    assert calls.count("elbv2:DescribeTags") == calls.count("ecs:DescribeServices") == 1


def test_a_retired_task_definition_is_noticed(live_stack: LiveStack) -> None:
    ecs, arn = live_stack.aws("ecs"), live_stack.task["taskDefinitionArn"]
    ecs.deregister_task_definition(taskDefinition=arn)
    try:
        assert "+ ecs/task" in live_stack.desk.plan(SUFFIX)
    finally:
        backend_of(live_stack.desk.box, arn)


def backend_of(box: LocalAws, arn: str) -> None:
    """AWS takes no retirement back; here it must, for the tests that follow."""
    from moto.ecs.models import ecs_backends

    family, revision = arn.rpartition("/")[2].split(":")
    region, account = arn.split(":")[3:5]
    ecs_backends[account][region].task_definitions[family][int(revision)].status = "ACTIVE"


def test_a_lost_tag_is_noticed_though_an_index_is_read(live_stack: LiveStack) -> None:
    logs = live_stack.aws("logs")
    name = f"/aws/ecs/ml-api-{SUFFIX}"
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{name}"
    owner = {"ManagedBy": "ml-api-provisioner"}
    logs.tag_resource(resourceArn=arn, tags={**owner, "ManagedBy": "somebody"})
    try:
        assert "ManagedBy" in live_stack.desk.plan(SUFFIX)
    finally:
        logs.tag_resource(resourceArn=arn, tags=owner)


def test_without_the_index_each_resource_is_asked(live_stack: LiveStack) -> None:
    live_stack.desk.box.faults(
        {"operation": "resourcegroupstaggingapi:GetResources", "fault": "access_denied", "times": 9}
    )
    try:
        assert asked(live_stack).count("logs:ListTagsForResource") == 4
    finally:
        live_stack.desk.box.faults()


def by_themselves(calls: list[str]) -> int:
    """How many roles and policies were asked for one by one."""
    return calls.count("iam:GetRole") + calls.count("iam:GetRolePolicy") + calls.count("iam:ListRolePolicies")


def test_one_answer_tells_of_all_roles(live_stack: LiveStack) -> None:
    calls = asked(live_stack)

    assert calls.count("iam:GetAccountAuthorizationDetails") == calls.count("iam:ListRoles") == 1
    assert by_themselves(calls) == 0


@pytest.mark.parametrize("denied", ["GetAccountSummary", "GetAccountAuthorizationDetails"])
def test_without_that_answer_each_role_is_asked(live_stack: LiveStack, denied: str) -> None:
    live_stack.desk.box.faults({"operation": f"iam:{denied}", "fault": "access_denied", "times": 9})
    try:
        assert by_themselves(asked(live_stack)) > 5
    finally:
        live_stack.desk.box.faults()


def test_in_an_account_of_many_roles_only_ours_are_asked(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_details, "MAX_ROLES", 1)
    calls = asked(live_stack)

    assert "iam:GetAccountAuthorizationDetails" not in calls
    assert by_themselves(calls) > 5


def test_what_that_answer_tells_otherwise_is_asked_of_the_role_itself(live_stack: LiveStack) -> None:
    """AWS tells of a change there later: a policy that it still tells of may be gone."""
    iam, role = live_stack.aws("iam"), TASK_ROLE
    iam.put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=json.dumps(NOTHING))
    mark = live_stack.desk.mark()
    try:
        assert "by-hand" in live_stack.desk.run("drift", "--suffix", SUFFIX).out
        calls = live_stack.desk.box.calls(mark)
        assert [one["operation"] for one in calls].count("ListRolePolicies") == 1
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="by-hand")


def test_a_healthy_stack_is_found_well_with_few_calls(live_stack: LiveStack) -> None:
    mark = live_stack.desk.mark()
    (told,) = live_stack.desk.well("doctor", "--json").lines

    assert {one["state"] for one in told["checks"]} == {"ok", "none"}
    # 50 find the way of a request by names and tags, and know targets by their tasks; 25 more ask for each
    # resource that the state tells of, by its id, and for the alarms by which the services scale: what both
    # ask alike is asked once. And one for the rules that mute alarms.
    assert len(live_stack.desk.box.calls(mark)) <= 76
    assert live_stack.desk.tries(mark) == []


@pytest.mark.parametrize(("own", "together"), [("b", ["a", "b"]), ("c", ["c"]), ("unknown", ["unknown"])])
def test_what_is_asked_together_is_the_same_list_for_each_of_it(own: str, together: list[str]) -> None:
    state = StackState("prod", StackLocation("1", "aws", "here"))
    state.resources = {id_: ResourceState("Thing", id_, id=id_) for id_ in "cab"}
    state.resources["other"] = ResourceState("Other", "x", id="x")

    assert BatchScope.of(state).in_region("here").batch(own, "Thing", most=2) == together


def test_what_the_state_file_tells_waits_for_nothing(live_stack: LiveStack) -> None:
    home = {"MLAPI_HOME": str(live_stack.desk.home)}

    assert imported("status", "--cached", "--local", "--suffix", SUFFIX, **home) == "[]"
    assert imported("outputs", "--local", "--suffix", SUFFIX, **home) == "[]"
    assert imported("list", **home) == "[]"


def test_a_cached_status_is_the_state_file_s_and_makes_no_call(live_stack: LiveStack) -> None:
    mark = live_stack.desk.mark()
    told = live_stack.desk.well("status", "--cached").out

    assert live_stack.desk.mark() == mark
    assert live_stack.vpc in told
    assert "ecs_service_name" in told
    (line,) = live_stack.desk.well("status", "--cached", "--json").lines
    assert {row["phase"] for row in line["resources"]} == {"ready"}


def test_the_last_run_is_shown_and_written(live_stack: LiveStack, tmp_path: Path) -> None:
    html, events = tmp_path / "a.html", tmp_path / "a.json"

    assert "of the run: " in live_stack.desk.well("timeline", "--suffix", SUFFIX).out
    (told,) = live_stack.desk.well("timeline", "--json").lines
    live_stack.desk.well("timeline", "--html", str(html), "--trace", str(events))

    assert {bar["node"] for bar in told["bars"]} >= {"vpc", "service"}
    assert 0 < told["efficiency"] <= 1
    assert html.read_text().startswith("<!doctype html>")
    assert json.loads(events.read_text())["traceEvents"]


def test_a_run_that_is_not_recorded_is_not_shown(live_stack: LiveStack) -> None:
    assert live_stack.desk.run("timeline", "--suffix", "other").code == 6


def test_stacks_of_one_region_are_looked_at_together_and_told_apart(live_stack: LiveStack) -> None:
    user = live_stack.desk
    user.well("apply", "--yes", "--suffix", "beside")
    alone, mark = len(asked(live_stack)), user.mark()

    assert user.well("plan", "--all").out == "beside:\nNo changes.\nprod:\nNo changes.\n"
    assert len(user.box.calls(mark)) < 1.5 * alone
    live_stack.aws("elbv2").add_tags(
        ResourceArns=[live_stack.balancer["LoadBalancerArn"]], Tags=[{"Key": "ml-api:node", "Value": "x"}]
    )
    beside, _, prod = user.well("plan", "--all").out.partition("prod:")
    assert "No changes." in beside
    assert "ml-api:node" in prod
