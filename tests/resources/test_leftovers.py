"""What AWS leaves behind by itself: swept up where it is ours, named where it stays, never mistaken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from provisioner.engine.calls.clients import Client
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.leftovers import expiring_leftovers
from provisioner.resources.sns import Subscription
from provisioner.service_clients import SNS
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.support.account_inventory import client, inventory
from tests.support.fake_resources import as_client
from tests.support.user import User

if TYPE_CHECKING:
    from provisioner.engine.calls.clients import Clients

OWNER = {"Project": "ml-api", "Environment": "a", "ManagedBy": "ml-api-provisioner"}


def alarm(user: User, name: str) -> None:
    """An alarm as target tracking makes them."""
    client(user.box.endpoint, "cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=60,
        Threshold=1,
        Statistic="Average",
    )


def retired(user: User, family: str, tags: dict[str, str]) -> str:
    """A revision that nobody can start any more."""
    ecs = client(user.box.endpoint, "ecs")
    made = ecs.register_task_definition(
        family=family,
        containerDefinitions=[{"name": "web", "image": "nginx", "memory": 128}],
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.deregister_task_definition(taskDefinition=made)
    return str(made)


def report(user: User) -> dict[str, Any]:
    """The report of the last teardown."""
    (path,) = user.home.rglob("teardown-a-*.json")
    return dict(json.loads(path.read_text()))


def test_a_subscription_that_nobody_confirmed_is_named(user: User) -> None:
    settings = Settings.model_validate({"profile": "production"})
    stack = build(settings, "a", "us-east-1", offline_lookups(3, "15"))
    sns = client(user.box.endpoint, "sns")
    for name in ("ml-api-alerts-a", "ml-api-alerts-ab"):
        topic = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@shop.example")
        sns.delete_topic(TopicArn=topic)

    class Here:
        """The way to the local AWS."""

        def client(self, service: type[Client], region: str = "") -> Any:
            return client(user.box.endpoint, service.service_name, region or "us-east-1")

    found = expiring_leftovers(cast("Clients", Here()), stack)

    assert [(one.what, one.id.rpartition(":")[2]) for one in found] == [("Subscription", "ml-api-alerts-a")]
    assert "ops@shop.example never confirmed it" in found[0].reason


@pytest.mark.slow
def test_a_teardown_sweeps_names_and_keeps(user: User) -> None:
    ours = "TargetTracking-service/ml-api-cluster-a/ml-api-service-a-AlarmHigh-1"
    theirs = "TargetTracking-service/ml-api-cluster-a/ml-api-service-ab-AlarmHigh-1"
    user.apply("a", "--set", "database.final_snapshot=true")
    alarm(user, ours)
    alarm(user, theirs)
    exported, others = (f"/aws/rds/cluster/ml-api-aurora-{suffix}/instance" for suffix in ("a", "ab"))
    for group in (exported, others):
        client(user.box.endpoint, "logs").create_log_group(logGroupName=group)
    old = retired(user, "ml-api-taskdef-a", OWNER)
    other = retired(user, "ml-api-taskdef-a", {"Environment": "somebody"})

    ran = user.teardown("a")

    left = inventory(user.box.endpoint)
    assert theirs in left["alarm"]
    assert ours not in left["alarm"]
    assert exported not in left["log group"]
    assert others in left["log group"]
    assert set(left["task definition inactive"]) & {old, other} == {other}
    told = report(user)
    assert {ours, exported, old} <= set(told["swept"])
    assert told["remaining"] == []
    (snapshot,) = told["kept"]
    assert "0.021 USD per GiB and month in us-east-1" in snapshot["why"]
    until = {one["what"]: one["until"] for one in told["lingering"]}
    assert until["Backup"] > "2026"
    assert until["NatGateway"] > "2026"
    assert "Kept: the snapshot ml-api-aurora-a" in ran.err
    assert f"Swept up: {ours}" in ran.err
    assert len(told["deleted"]) == len(told["removed"])


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["by its report", "by names and tags alone"])
def test_one_can_look_again_later_without_a_ledger(user: User, *, known: bool) -> None:
    user.apply("a")
    user.teardown("a")
    if not known:
        for path in user.home.rglob("teardown-a-*.json"):
            path.unlink()
    mark = user.mark()

    well = user.run("verify-gone", "--suffix", "a")
    alarm(user, "TargetTracking-service/ml-api-cluster-a/ml-api-service-a-AlarmLow-2")
    ill = user.run("verify-gone", "--suffix", "a")

    assert well.code == 0, well.err
    asked = int(well.out.split("Verified empty: ")[1].split()[0])
    assert (asked > 70) is known
    assert ill.code == 11
    assert "AlarmLow-2" in ill.err
    assert user.acts(mark) == ["cloudwatch:PutMetricAlarm"]
    assert not user.ledger("a").exists()
    for report in user.home.rglob("teardown-a-*.json"):
        report.write_text(report.read_text().replace("123456789012", "111122223333"))
    assert user.run("verify-gone", "--suffix", "a").code == (3 if known else 11)
    for report in user.home.rglob("teardown-a-*.json"):
        report.write_text(report.read_text().replace('"deleted": [', '"deleted": [7, '))
        torn = user.run("verify-gone", "--suffix", "a")
        assert torn.code == 1
        assert "It is only a report of what is gone: remove it, and run the same command again." in torn.err


@pytest.mark.slow
def test_a_thing_that_came_back_or_was_forgotten_is_seen_in_either_region(user: User) -> None:
    user.apply("a", "--region", "eu-west-1")
    user.teardown("a", "--region", "eu-west-1")
    logs = client(user.box.endpoint, "logs", "eu-west-1")
    logs.create_log_group(logGroupName="/aws/ecs/ml-api-a", tags=OWNER | {"ml-api:node": "ecs-logs"})
    tags = [{"Key": key, "Value": value} for key, value in OWNER.items()]
    topic = client(user.box.endpoint, "sns").create_topic(Name="of-nobody", Tags=tags)["TopicArn"]

    ran = user.run("verify-gone", "--suffix", "a", "--region", "eu-west-1")

    assert ran.code == 11
    assert "/aws/ecs/ml-api-a" in ran.err
    logs.delete_log_group(logGroupName="/aws/ecs/ml-api-a")
    again = user.run("verify-gone", "--suffix", "a")
    assert again.code == 0, again.err
    assert "region eu-west-1" in again.err
    assert "(region from the report of its last teardown)" in again.err
    assert f"Left alone: {topic} (it bears our tags, and is not ours to delete)" in again.err


class Heard:
    """SNS as it tells of a topic whose reader has unsubscribed, and was asked again."""

    def __init__(self, *arns: str) -> None:
        self.arns = arns
        self.ended: list[str] = []

    def list_subscriptions_by_topic(self, **_: Any) -> dict[str, Any]:
        listed = [{"SubscriptionArn": arn, "Endpoint": "ops@shop.example"} for arn in self.arns]
        return {"Subscriptions": [*listed, {"SubscriptionArn": "arn:aws:sns:1", "Endpoint": "other"}]}

    def unsubscribe(self, **asked: str) -> None:
        self.ended += asked.values()


@pytest.mark.parametrize(
    ("told", "seen", "ended"),
    [
        (("Deleted",), None, []),
        (("Deleted", "PendingConfirmation"), "PendingConfirmation", []),
        (("Deleted", "arn:aws:sns:2"), "arn:aws:sns:2", ["arn:aws:sns:2"]),
    ],
)
def test_a_subscription_that_its_reader_has_ended_is_none(
    told: tuple[str, ...], seen: str | None, ended: list[str]
) -> None:
    sns = Heard(*told)
    spec = ResourceSpec("alerts-1", "", "a", {"TopicArn": "t", "Protocol": "email", "Endpoint": "ops@shop.example"})

    found = Subscription().read(as_client(SNS, sns), spec)
    Subscription().delete(as_client(SNS, sns), spec)

    assert (found or {}).get("SubscriptionArn") == seen
    assert sns.ended == ended
