"""Where AWS answers with an empty list, or one thing more than was asked for, nothing breaks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.parsers import ResponseParserError

from provisioner.aws.responses import created_resource
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call
from provisioner.engine.calls.clients import Clients
from provisioner.resources.cloudfront import existing_domain
from provisioner.resources.ecs.exec_sessions import read_service_tasks
from provisioner.service_clients import CloudFront
from tests.support.fake_resources import as_client
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

EMPTIED = {
    ("elbv2", "CreateTargetGroup"): "TargetGroups",
    ("elbv2", "CreateLoadBalancer"): "LoadBalancers",
    ("elbv2", "CreateListener"): "Listeners",
    ("elbv2", "CreateRule"): "Rules",
    ("ec2", "AuthorizeSecurityGroupIngress"): "SecurityGroupRules",
    ("ec2", "AuthorizeSecurityGroupEgress"): "SecurityGroupRules",
}


def test_a_reply_that_tells_of_nothing_is_a_lost_one(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reply of each create that tells what it made in a list."""
    left = set(EMPTIED)

    def empty(call: Call, reply: dict[str, Any]) -> None:
        if (key := (call.service, call.operation)) in left:
            left.discard(key)
            reply[EMPTIED[key]] = []

    for key in EMPTIED:
        hooks = [*always.afters.get(key, []), (empty, lambda _: True)]
        monkeypatch.setitem(always.afters, key, hooks)

    user.apply(SUFFIX)

    assert left == set()
    live_stack = LiveStack(user)
    assert len(live_stack.aws("elbv2").describe_target_groups()["TargetGroups"]) == 1
    assert len(live_stack.aws("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


def test_what_a_call_made_is_the_first_of_its_list() -> None:
    assert created_resource({"Rules": [1, 2]}, "Rules") == 1
    replies: list[dict[str, Any]] = [{}, {"Rules": []}, {"Rules": None}]
    for reply in replies:
        with pytest.raises(ResponseParserError, match="without Rules"):
            created_resource(reply, "Rules")


def test_a_domain_is_told_also_where_somebody_put_an_origin_beside_ours() -> None:
    items = [{"Id": "theirs", "DomainName": "other"}, {"Id": "alb", "DomainName": "origin.a.org"}]
    doc = {
        "Comment": "ours",
        "ARN": "arn",
        "Aliases": {"Items": ["a.org"]},
        "Origins": {"Items": items},
        "DefaultCacheBehavior": {"TargetOriginId": "alb"},
    }
    cloudfront = SimpleNamespace(
        list_distributions=lambda: {"DistributionList": {"Items": [doc]}},
        list_tags_for_resource=lambda **_: {"Tags": {"Items": []}},
    )

    assert existing_domain(as_client(CloudFront, cloudfront), "ours")["origin_name"] == "origin.a.org"


def test_of_two_services_of_a_name_the_active_one_is_entered_and_a_task_without_containers_is_none() -> None:
    services = [{"serviceName": "a", "status": "INACTIVE"}, {"serviceName": "b", "status": "ACTIVE"}]
    tasks = [{"lastStatus": "RUNNING", "containers": []}]
    asked: list[str] = []

    def list_tasks(cluster: str, serviceName: str) -> dict[str, list[str]]:  # noqa: N803
        asked.append(serviceName)
        return {"taskArns": ["arn"]}

    ecs = SimpleNamespace(
        describe_services=lambda **_: {"services": services},
        list_tasks=list_tasks,
        describe_tasks=lambda **_: {"tasks": tasks},
    )
    clients = cast("Clients", SimpleNamespace(client=lambda _: ecs))

    found = read_service_tasks(clients, "cluster", "a")

    assert found is not None
    assert (found.tasks, asked) == ((), ["b"])
