"""An emulator that lacks a whole service: what needs it is passed over and told; on AWS itself never."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.loaders
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, InvalidRegionError
from moto.core.botocore_stubber import MockRawResponse

from provisioner.aws import endpoints
from provisioner.aws.connection import AwsConnection
from provisioner.aws.responses import UnsupportedOperation, require_complete_responses
from provisioner.emulator.wire import Call, compose_call
from provisioner.engine.execution.events import Event
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.planning.change import Change
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from tests.engine.test_retry_policy import hands
from tests.engine.test_waiter import Hurried
from tests.support.account_inventory import inventory
from tests.support.fake_resources import OURS, SUFFIX, Thing
from tests.support.fault_proxy import Answer, FaultProxy, plays
from tests.support.user import CommandResult, User

LACKS = b'{"error": "Unsupported service: application-autoscaling"}'
SERVICE = "application-autoscaling"


@pytest.fixture
def elsewhere(user: User) -> Iterator[User]:
    """A user of somebody else's emulator, which has no Application Auto Scaling."""
    with FaultProxy(user.box.endpoint) as front:
        front.order(plays.instead(Answer(400, (), LACKS)), service=SERVICE, times=10**6)
        yield dataclasses.replace(user, environment={**front.as_endpoint, "MLAPI_PROFILE": "seed"})


def run(one: User, verb: str, *more: str) -> CommandResult:
    ran = one.run(verb, "--suffix", "a", *more, local=False)
    assert ran.code == 0, ran.err
    return ran


def test_a_plan_says_what_is_not_there(elsewhere: User) -> None:
    assert "Not on this emulator, and passed over: scaling, scaling-requests." in run(elsewhere, "plan").out


@pytest.mark.slow
def test_a_stack_lives_and_ends_without_the_service(elsewhere: User) -> None:
    # An account has a default VPC, and nothing else.
    empty = inventory(elsewhere.box.endpoint)
    told = run(elsewhere, "apply", "--yes").err
    assert "not on this emulator: ScalableTarget ml-api-scaling-a is passed over" in told
    assert "No changes." in run(elsewhere, "plan").out
    assert "No drift." in run(elsewhere, "drift").out

    changed = run(elsewhere, "apply", "--yes", "--set", "service.maximum=9").err

    assert "not on this emulator: ScalableTarget ml-api-scaling-a is passed over" in changed
    assert "No changes." in run(elsewhere, "plan", "--set", "service.maximum=9").out
    ended = run(elsewhere, "teardown", "--yes")
    assert "not on this emulator: ScalableTarget" in ended.err
    # What a command found out is its output; what it does meanwhile is not.
    assert "Verified empty" in ended.out
    assert inventory(elsewhere.box.endpoint) == empty


class Missing(Thing):
    """A resource of a service that is not there."""

    service = "some-service"

    def read(self, *_: Any) -> JsonObject | None:
        raise UnsupportedOperation("Describe")

    create = update = delete = read


class Unnamed(Missing):
    """One whose id AWS would choose."""

    id_paths = "Arn"


def worker(*, is_emulated: bool) -> tuple[ResourceExecutor, list[Event]]:
    """What carries verbs out before an emulator, or before AWS; and what it tells."""
    told: list[Event] = []
    mine = hands(Hurried())
    mine.clients.aws.__dict__.update(is_faithful=not is_emulated, is_emulated=lambda *_: is_emulated)
    mine.unsupported.publish = told.append
    return mine, told


def target(resource_type: ResourceType) -> ManagedResource:
    return ManagedResource(resource_type, ResourceSpec("thing", "ml-api-thing-prod", SUFFIX, {"Id": "t-1"}, OURS))


def test_what_is_lacking_is_made_changed_and_ended_in_words_alone() -> None:
    mine, told = worker(is_emulated=True)
    managed = target(Missing()).with_id("t-1")

    assert mine.create(managed) == {"Id": "t-1"}
    mine.wait_and_confirm(managed, on_read=lambda _doc: None)
    mine.update(managed, Change("update", "thing", "Missing", "t", "p", "t-1"))
    mine.wait_and_confirm(managed, updated=True, on_read=lambda _doc: None)
    mine.delete(managed)

    assert mine.state_manager.get("thing") is None
    assert [event.action for event in told] == ["create", "update", "delete"]
    assert all("not on this emulator: Missing ml-api-thing-prod" in event.detail for event in told)


@pytest.mark.parametrize(("kind", "is_emulated"), [(Missing(), False), (Unnamed(), True)])
def test_what_aws_does_not_know_or_nobody_can_name_ends_the_work(kind: ResourceType, *, is_emulated: bool) -> None:
    mine, told = worker(is_emulated=is_emulated)

    with pytest.raises(UnsupportedOperation):
        mine.create(target(kind))

    assert told == []


def answered(body: bytes, *, is_emulator: bool, service: str = SERVICE) -> Any:
    """A client of which every call is answered so, with 400; and 200 where it is XML that is well."""
    client = boto3.client(service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

    def answer(request: Any, **_: Any) -> AWSResponse:
        raw: Any = MockRawResponse(body)
        return AWSResponse(request.url, 200 if b"Result>" in body else 400, {}, raw)

    client.meta.events.register("before-send.*", answer)
    require_complete_responses(client.meta.events, is_emulator=is_emulator)
    return client


@pytest.mark.parametrize("body", [LACKS, b'{"__type": "InvalidAction", "message": "Unknown action: X"}'])
def test_only_an_emulator_lacks_a_service(body: bytes) -> None:
    with pytest.raises(UnsupportedOperation):
        answered(body, is_emulator=True).describe_scalable_targets(ServiceNamespace="ecs")
    with pytest.raises(ClientError):
        answered(body, is_emulator=False).describe_scalable_targets(ServiceNamespace="ecs")


def test_a_page_that_an_emulator_leaves_bare_in_xml_is_read() -> None:
    page = b"<!doctype html><p>Not & here</p>"
    rule = b"<Rules><member><Actions><member><Type>fixed-response</Type><FixedResponseConfig><MessageBody>%s"
    rule += b"</MessageBody></FixedResponseConfig></member></Actions></member></Rules>"
    body = b"<DescribeRulesResponse><DescribeRulesResult>%s</DescribeRulesResult></DescribeRulesResponse>"

    told = answered(body % (rule % page), is_emulator=True, service="elbv2").describe_rules()

    assert told["Rules"][0]["Actions"][0]["FixedResponseConfig"]["MessageBody"] == page.decode()


def test_no_endpoint_of_aws_is_taken_for_an_emulator() -> None:
    partitions = botocore.loaders.Loader().load_data("partitions")["partitions"]
    for one in partitions:
        for suffix in ("dnsSuffix", "dualStackDnsSuffix"):
            host = f"https://ec2.some-region-1.{one['outputs'][suffix]}"
            assert endpoints.custom_endpoint(host) == "", host
    assert endpoints.custom_endpoint("http://127.0.0.1:4566") != ""


def test_a_service_at_aws_lacks_nothing_beside_one_that_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    connection = AwsConnection("us-east-1")

    assert not connection.is_faithful
    assert connection.is_emulated("s3")
    assert not connection.is_emulated(SERVICE)


def test_what_an_emulator_tells_otherwise_at_the_end_of_an_apply_is_followed_in_it(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ministack moves a cluster's endpoint once an instance stands; here the days of a log group move."""
    answer = user.box.emulator.run_alone
    days = {"logGroupName": "/aws/ecs/ml-api-a", "retentionInDays": 1}

    def moving(call: Call) -> Any:
        told = answer(call)
        if call.operation == "PutScalingPolicy":
            answer(compose_call("logs", "PutRetentionPolicy", "us-east-1", **days))
        return told

    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_ENDPOINT_URL": user.box.endpoint}
    user = dataclasses.replace(user, environment={**keys, "AWS_REGION": "us-east-1", "MLAPI_PROFILE": "seed"})
    monkeypatch.setattr(user.box.emulator, "run_alone", moving)

    ran = user.run("apply", "--yes", "--suffix", "a", local=False)

    assert ran.code == 0, ran.err
    assert "ecs-logs-retention follow them" in ran.err
    assert user.run("plan", "--suffix", "a", local=False).out == "No changes.\n"


def test_a_region_that_is_none_is_not_told_as_an_endpoint() -> None:
    with pytest.raises(InvalidRegionError), endpoints.explain_rejected_endpoint("ec2"):
        raise InvalidRegionError(region_name="us east")
