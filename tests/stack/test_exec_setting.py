"""`service.exec`: off, nothing of it is there; on, a shell that is logged and needs no NAT."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import resolve
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/ml-api:1"


def declared(**given: Any) -> Stack:
    settings = Settings.model_validate({"profile": "seed", "image": IMAGE, "network": {"nat": "none"}, **given})
    lookups = replace(offline_lookups(settings.network.zones, settings.database.version), account="123456789012")
    return build(settings, "prod", "us-east-1", lookups)


def test_by_itself_there_is_no_shell_and_no_way_to_one() -> None:
    stack = declared()

    assert stack.resources["service"].props["enableExecuteCommand"] is False
    assert "configuration" not in stack.resources["cluster"].props
    assert {"exec-logs", "task-role-exec", "endpoint-ssmmessages"} & stack.resources.keys() == set()


def test_where_it_is_on_its_sessions_are_logged_and_reach_systems_manager() -> None:
    stack = declared(service={"exec": True}, container={"drop_capabilities": True})
    told = stack.resources["cluster"].props["configuration"]["executeCommandConfiguration"]
    [container] = stack.resources["task"].props["containerDefinitions"]

    assert told["logging"] == "OVERRIDE"
    assert told["logConfiguration"]["cloudWatchLogGroupName"].logical_id == "exec-logs"
    assert container["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True}
    assert "endpoint-ssmmessages" in stack.resources["service"].depends_on
    assert "task-role-exec" in stack.resources["service"].depends_on


def test_the_sessions_are_written_to_that_group_alone() -> None:
    policy = declared(service={"exec": True}).resources["task-role-exec"].props["PolicyDocument"]
    anywhere, writes = policy["Statement"]

    assert {action.partition(":")[0] for action in anywhere["Action"]} == {"ssmmessages", "logs"}
    assert "logs:PutLogEvents" not in anywhere["Action"]
    assert len(writes["Resource"]) == 1


SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:token-AbCdEf"
# Every wildcard that other settings than the profiles' bring, and why it cannot be narrower.
WILDCARDS = {
    "*": "Systems Manager's channels, ECR's token and the list of log groups take no resource",
    "log-group:/aws/ecs/exec/ml-api-prod:*": "the streams of one group",
    "log-group:/aws/ecs/ml-api-prod:*": "the streams of one group",
    "log-group:/aws/vpc/ml-api-prod:*": "the streams of one group",
    "log-group:*": "DescribeLogGroups lists; it takes no single group",
    "log-group:RDSOSMetrics:*": "the group itself: its ARN goes on",
    "log-group:RDSOSMetrics:log-stream:*": "the streams of one group",
    "key/*": "under which key a user's secret is, AWS tells; by condition one that opens that secret",
}


def test_no_policy_has_a_wildcard_without_a_reason() -> None:
    stack = declared(
        profile="production",
        service={"exec": True},
        container={"readonly_root": False, "secrets": {"TOKEN": SECRET}},
        database={"monitoring": 60},
    )
    policies = (resource.props["PolicyDocument"] for resource in stack if str(resource.type) == "RolePolicy")
    statements = [one for policy in policies for one in policy["Statement"]]
    named = {resolve(one, lambda _: "") for each in statements for one in each["Resource"]}

    assert not any("*" in action for each in statements for action in each["Action"])
    assert {one.split(":", 5)[-1] for one in named if "*" in one} == WILDCARDS.keys()
