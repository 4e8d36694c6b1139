"""A service that scales no more is told by each command that looks, and scales again after one `apply`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from provisioner.aws.connection import AwsConnection
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.engine.execution.managed_resource import ManagedResource, with_status_reads
from provisioner.engine.planning.planner import decide_change
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.types.health_status import health_of as how
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources import RESOURCE_TYPES, autoscaling
from provisioner.resources.autoscaling import RESUMED, ScalingPolicy
from provisioner.resources.scaling_alarms import tracking_status
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_changes import SCALING

Doc = dict[str, Any]
LOOKS = ("plan", "drift", "status", "doctor")
ALARMS = "TargetTracking-service/ml-api-cluster-prod/ml-api-service-prod-Alarm"


def told(live_stack: LiveStack, command: str) -> str:
    """What a command says of the stack."""
    detailed = ["--detailed-exitcode"] if command in ("plan", "drift") else []
    ran = live_stack.desk.run(command, "--suffix", SUFFIX, *detailed)
    assert ran.code == (2 if detailed else 1), ran.err
    return ran.out


def scales_again(live_stack: LiveStack) -> None:
    """One `apply`, after which nothing is to be told."""
    live_stack.desk.apply(SUFFIX)
    assert live_stack.desk.well("drift", "--suffix", SUFFIX).out == "No drift.\n"
    live_stack.desk.well("doctor", "--suffix", SUFFIX)


def target(live_stack: LiveStack) -> Doc:
    """The scalable target, as AWS tells it."""
    [one] = live_stack.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    return dict(one)


def alarms(live_stack: LiveStack) -> dict[str, Doc]:
    """The alarms that AWS made for the policy, by side."""
    listed = live_stack.aws("cloudwatch").describe_alarms(AlarmNamePrefix=ALARMS)["MetricAlarms"]
    return {one["AlarmName"].removeprefix(ALARMS).split("-")[0]: one for one in listed}


def policy(live_stack: LiveStack) -> Doc:
    """The policy, as AWS tells it."""
    [one] = live_stack.aws("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]
    return dict(one)


def test_a_suspension_is_told_with_what_of_it_and_ends_with_an_apply(live_stack: LiveStack) -> None:
    off = {"DynamicScalingOutSuspended": True, "ScheduledScalingSuspended": True}
    live_stack.aws("application-autoscaling").register_scalable_target(**SCALING, SuspendedState=off)

    said = {command: told(live_stack, command) for command in LOOKS}
    alone = live_stack.desk.process("drift", "--local", "--suffix", SUFFIX)

    assert alone.out == said["drift"]
    for command in ("drift", "status", "doctor"):
        assert "suspended (scaling out, scheduled scaling)" in said[command]
    for member in off:
        assert f"SuspendedState.{member}: false -> true" in said["drift"]
        assert f"SuspendedState.{member}: true -> false" in said["plan"]
    assert "DynamicScalingIn" not in said["plan"] + said["drift"]
    assert said["drift"].count("/scaling: ") == 1
    assert said["drift"].endswith("Drift: 1 failed.\n")
    scales_again(live_stack)
    assert target(live_stack)["SuspendedState"] == RESUMED


def test_a_stack_of_older_code_plans_silently_and_its_suspension_is_told(live_stack: LiveStack) -> None:
    path = live_stack.desk.ledger(SUFFIX)
    known = json.loads(path.read_text())
    for document in ("wanted", "confirmed"):
        del known["entries"]["scaling"][document]["SuspendedState"]
    path.write_text(json.dumps(known))
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"
    assert live_stack.desk.well("drift", "--suffix", SUFFIX).out == "No drift.\n"

    off = {"DynamicScalingInSuspended": True}
    live_stack.aws("application-autoscaling").register_scalable_target(**SCALING, SuspendedState=off)

    for command in ("drift", "status", "doctor"):
        assert "suspended (scaling in)" in told(live_stack, command)
    scales_again(live_stack)
    assert target(live_stack)["SuspendedState"] == RESUMED


def delete(live_stack: LiveStack, *sides: str) -> None:
    names = [alarms(live_stack)[side]["AlarmName"] for side in sides]
    live_stack.aws("cloudwatch").delete_alarms(AlarmNames=names)


def disable(live_stack: LiveStack) -> None:
    live_stack.aws("cloudwatch").disable_alarm_actions(AlarmNames=[alarms(live_stack)["Low"]["AlarmName"]])


def detach(live_stack: LiveStack) -> None:
    """Whom the alarm calls is taken away: all else of it stays."""
    members = ("AlarmName", "MetricName", "Namespace", "Statistic", "Dimensions", "Period", "Threshold")
    more = ("EvaluationPeriods", "ComparisonOperator")
    alarm = {key: alarms(live_stack)["High"][key] for key in (*members, *more)}
    live_stack.aws("cloudwatch").put_metric_alarm(**alarm, AlarmActions=[])


DEEDS: Mapping[str, tuple[Callable[[LiveStack], None], str]] = {
    "both are deleted": (lambda live_stack: delete(live_stack, "High", "Low"), "without its CloudWatch alarms"),
    "the high one is deleted": (lambda live_stack: delete(live_stack, "High"), "without its AlarmHigh"),
    "the low one is deleted": (lambda live_stack: delete(live_stack, "Low"), "without its AlarmLow"),
    "actions are off": (disable, "their actions are off"),
    "an action is taken away": (detach, "no longer called by all of its CloudWatch alarms"),
}


@pytest.mark.parametrize(("deed", "words"), DEEDS.values(), ids=DEEDS)
def test_a_policy_whose_alarms_call_it_no_more_is_told_and_put_anew(
    live_stack: LiveStack, deed: Callable[[LiveStack], None], words: str
) -> None:
    arn = policy(live_stack)["PolicyARN"]
    deed(live_stack)

    for command in LOOKS:
        assert words in told(live_stack, command), command
    mark = live_stack.desk.mark()
    scales_again(live_stack)

    assert [one for one in live_stack.desk.acts(mark) if "Tag" not in one] == [
        "application-autoscaling:PutScalingPolicy"
    ]
    assert policy(live_stack)["PolicyARN"] == arn
    assert {one["AlarmName"] for one in policy(live_stack)["Alarms"]} == {
        one["AlarmName"] for one in alarms(live_stack).values()
    }
    assert set(alarms(live_stack)) == {"High", "Low"}
    for one in alarms(live_stack).values():
        assert one["ActionsEnabled"]
        assert one["AlarmActions"][0].startswith(arn)


def test_the_alarms_of_all_policies_are_one_call(live_stack: LiveStack) -> None:
    more = ("--set", 'api.services={"search":{"prefixes":["/search/*"]}}')
    live_stack.desk.apply(SUFFIX, *more)
    mark = live_stack.desk.mark()

    assert live_stack.desk.plan(SUFFIX, *more) == "No changes.\n"

    calls = [one["operation"] for one in live_stack.desk.box.calls(mark)]
    assert calls.count("DescribeAlarms") == calls.count("DescribeScalingPolicies") == 1
    live_stack.desk.apply(SUFFIX)


ARN = "arn:aws:autoscaling:us-east-1:1:scalingPolicy:a:resource/ecs/service/c/s:policyName/p"


def named(*names: str) -> list[Doc]:
    return [{"AlarmName": name} for name in names]


def alarm(name: str, *, calls: str = f"{ARN}:createdBy/b", on: bool = True) -> dict[str, Doc]:
    return {name: {"AlarmName": name, "AlarmActions": [calls] if calls else [], "ActionsEnabled": on}}


HIGH, LOW = "TargetTracking-service/c/s-AlarmHigh-1", "TargetTracking-service/c/s-AlarmLow-2"
BOTH = alarm(HIGH) | alarm(LOW)
OUT_ONLY = {"TargetTrackingScalingPolicyConfiguration": {"DisableScaleIn": True}}


@pytest.mark.parametrize(
    ("more", "there", "state"),
    [
        ({"Alarms": named(HIGH, LOW)}, BOTH, "alarms"),
        ({"Alarms": named(HIGH, LOW)}, alarm(HIGH), "no low alarm"),
        # AWS may tell those alone that stand.
        ({"Alarms": named(HIGH)}, alarm(HIGH), "no low alarm"),
        ({"Alarms": named(LOW)}, alarm(LOW), "no high alarm"),
        ({"Alarms": named(HIGH), **OUT_ONLY}, alarm(HIGH), "alarms"),
        ({"Alarms": named(HIGH, LOW)}, {}, "no alarms"),
        ({"Alarms": []}, {}, "no alarms"),
        ({}, {}, "no alarms"),
        ({"Alarms": named(HIGH, LOW)}, alarm(HIGH, calls="") | alarm(LOW), "detached"),
        ({"Alarms": named(HIGH, LOW)}, alarm(HIGH, calls=ARN[:-1]) | alarm(LOW), "detached"),
        ({"Alarms": named(HIGH, LOW)}, alarm(HIGH) | alarm(LOW, on=False), "disabled"),
        # Names of another form than today's: all that AWS names have to be there.
        ({"Alarms": named("a")}, alarm("a"), "alarms"),
        ({"Alarms": named("a", "b")}, alarm("a"), "no alarms"),
    ],
)
def test_how_the_alarms_of_a_policy_are(more: Doc, there: dict[str, Doc], state: str) -> None:
    assert tracking_status({"PolicyARN": ARN, **more}, there) == state


@pytest.mark.parametrize(("echoes", "age", "verb"), [(True, 3600, "update"), (False, 3600, "keep"), (True, 5, "keep")])
def test_no_alarm_at_all_is_a_difference_on_aws_alone_once_it_hides_none(
    echoes: bool, age: float, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = cast("Clock", SimpleNamespace(wall=lambda: 1e9, now=lambda: 0.0))
    aws = SimpleNamespace(
        is_faithful=echoes, consistency_window=lambda usual: usual, client=lambda *_: None, region="r"
    )
    monkeypatch.setattr(autoscaling, "read_policies", lambda *_: [])
    props: Doc = {**SCALING, "PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    resource = Resource(ScalingPolicy(), "scaling-requests", "p", "autoscaling", props, {}, ())
    seen = with_status_reads(
        Clients(cast("AwsConnection", aws), clock),
        ManagedResource(ScalingPolicy(), ResourceSpec("n", "p", "s", props)),
        props,
        1e9 - age,
    )

    assert decide_change(resource, None, {**seen, "PolicyARN": ARN}, props).action == verb


def test_what_is_suspended_and_newer_than_this_version_is_never_healthy() -> None:
    resource_type = RESOURCE_TYPES["ScalableTarget"]

    assert how(resource_type, {"Scaling": "PredictiveScalingSuspended"}).status == "unknown"
    assert how(resource_type, {"Scaling": "nothing"}).status == "healthy"
