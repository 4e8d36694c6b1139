"""Alarms that somebody mutes ring and nobody hears them: what `doctor` makes of CloudWatch's mute rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.aws.connection import AwsConnection
from provisioner.doctor.check import Recovered
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.muted_alarms import MuteRule, alarms_are_not_muted, read_mute_rules
from provisioner.emulator.local import running_emulator
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.names import owner_tags
from provisioner.resources.tags import pairs
from provisioner.service_clients import CloudWatch
from tests.support.account_inventory import client
from tests.support.user import User

REGION = "us-east-1"


def patient(user: User, *alarms: str, region: str = REGION, suffix: str = "a") -> DoctorContext:
    """The stack `a`, with these alarms that bear the tags of a suffix."""
    connection = AwsConnection("eu-west-1", running_emulator(user.home / "embedded" / "server"))
    for name in alarms:
        client(user.box.endpoint, "cloudwatch", region).put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Statistic="Sum",
            Threshold=1,
            Tags=pairs(owner_tags(suffix)),
        )
    return DoctorContext("a", Clients(connection, Clock()), 0.0)


def mute(context: DoctorContext, name: str, expression: str, *alarms: str, region: str = REGION, **more: Any) -> None:
    rule: Any = {"Schedule": {"Expression": expression, "Duration": "P1DT1H"}}
    context.clients.client(CloudWatch, region).put_alarm_mute_rule(
        Name=name, Rule=rule, MuteTargets={"AlarmNames": list(alarms)}, **more
    )


def at(moment: datetime) -> str:
    return f"at({moment:%Y-%m-%dT%H:%M})"


def test_a_rule_that_is_active_on_an_alarm_of_ours_is_told_with_its_end(user: User) -> None:
    context, now = patient(user, "ml-api-errors-a", "ml-api-cpu-a"), datetime.now(UTC)
    mute(context, "theirs", at(now), "ml-api-errors-b")
    mute(context, "over", at(now - timedelta(days=2)), "ml-api-cpu-a")
    mute(context, "deep", at(now), "ml-api-errors-a", "theirs", ExpireDate=datetime(2126, 1, 2, 3, 4, tzinfo=UTC))

    finding = alarms_are_not_muted(read_mute_rules(context))

    assert finding is not None
    assert finding.problem == (
        "The CloudWatch mute rule deep silences ml-api-errors-a now, and ends on 2126-01-02 03:04 UTC at the latest."
    )
    assert finding.command == ("aws cloudwatch delete-alarm-mute-rule --alarm-mute-rule-name deep --region us-east-1")


@pytest.mark.parametrize("expression", ["cron(0 2 * * *)", "at(2126-01-01T00:00)"])
def test_a_rule_that_will_be_active_is_told_and_is_no_fault(user: User, expression: str) -> None:
    context = patient(user, "ml-api-errors-a")
    mute(context, "nightly", expression, "ml-api-errors-a")

    with pytest.raises(Recovered, match="heard now; the mute rule nightly will silence ml-api-errors-a"):
        alarms_are_not_muted(read_mute_rules(context))


def test_rules_of_others_alone_and_none_are_no_fault(user: User) -> None:
    context = patient(user, "ml-api-errors-a")
    assert alarms_are_not_muted(read_mute_rules(context)) is None
    patient(user, "ml-api-errors-x-a", suffix="x-a")
    mute(context, "theirs", at(datetime.now(UTC)), "ml-api-errors-x-a", "else")
    assert alarms_are_not_muted(read_mute_rules(context)) is None


def test_an_alarm_is_asked_for_where_the_stack_is_and_where_the_edge_counts(user: User) -> None:
    context = patient(user, "ml-api-errors-a", region="eu-west-1")
    patient(user, "ml-api-edge-a")
    mute(context, "here", at(datetime.now(UTC)), "ml-api-errors-a", region="eu-west-1")
    mute(context, "there", at(datetime.now(UTC)), "ml-api-edge-a")

    assert [(one.name, one.region) for one in read_mute_rules(context)] == [("here", "eu-west-1"), ("there", REGION)]


def test_of_many_alarms_some_are_named() -> None:
    found = alarms_are_not_muted([MuteRule("r", REGION, ("a", "b", "c", "d", "e"), is_active=True)])

    assert found is not None
    assert "silences a, b, c and 2 more now." in found.problem
