"""`service.exec`: off, nothing of it is there; on, a shell that is logged and needs no NAT."""

from __future__ import annotations

from typing import Any

from provisioner.engine.graph import Stack
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.facts import offline

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/ml-api:1"


def declared(**given: Any) -> Stack:
    s = Settings.model_validate({"profile": "seed", "image": IMAGE, "network": {"nat": "none"}, **given})
    return build(s, "prod", "us-east-1", offline(s.network.zones, s.database.version))


def test_by_itself_there_is_no_shell_and_no_way_to_one() -> None:
    stack = declared()

    assert stack.nodes["service"].props["enableExecuteCommand"] is False
    assert "configuration" not in stack.nodes["cluster"].props
    assert {"exec-logs", "task-role-exec", "endpoint-ssmmessages"} & stack.nodes.keys() == set()


def test_where_it_is_on_its_sessions_are_logged_and_reach_systems_manager() -> None:
    stack = declared(service={"exec": True}, container={"drop_capabilities": True})
    told = stack.nodes["cluster"].props["configuration"]["executeCommandConfiguration"]
    [container] = stack.nodes["task"].props["containerDefinitions"]

    assert told["logging"] == "OVERRIDE"
    assert told["logConfiguration"]["cloudWatchLogGroupName"].node == "exec-logs"
    assert container["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True}
    assert "endpoint-ssmmessages" in stack.nodes["service"].needs
    assert "task-role-exec" in stack.nodes["service"].needs


def test_the_sessions_are_written_to_that_group_alone() -> None:
    policy = declared(service={"exec": True}).nodes["task-role-exec"].props["PolicyDocument"]
    anywhere, writes = policy["Statement"]

    assert {action.partition(":")[0] for action in anywhere["Action"]} == {"ssmmessages", "logs"}
    assert "logs:PutLogEvents" not in anywhere["Action"]
    assert len(writes["Resource"]) == 1
