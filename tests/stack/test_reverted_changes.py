"""A change that was cut off, and then taken back: what the killed run meant is neither believed nor left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.live_stack import SUFFIX, LiveStack

TASK = "ml-api-taskdef-prod"
UNHEARD_OF = {"id": "", "confirmed": None, "phase": "creating"}


@contextmanager
def ledger(live_stack: LiveStack) -> Iterator[dict[str, Any]]:
    """The entries of the ledger, to be written as a killed run would have."""
    path = live_stack.desk.ledger(SUFFIX)
    document = json.loads(path.read_text())
    yield document["entries"]
    path.write_text(json.dumps(document))


def killed(verb: str) -> dict[str, Any]:
    """What a run that was killed around a call has written."""
    return {"intent": {"verb": verb, "token": "0" * 32, "at": 0.0}}


def test_what_was_meant_and_never_called_is_not_what_is_confirmed(live_stack: LiveStack) -> None:
    with ledger(live_stack) as entries:
        for name, meant in (("scaling", {"MaxCapacity": 99}), ("aurora", {"BackupRetentionPeriod": 9})):
            entry = entries[name]
            entry |= {"phase": "updating", "tags": {"team": "x"}, **killed("update")}
            entry["wanted"] |= meant

    mark = live_stack.desk.mark()
    live_stack.desk.apply(SUFFIX)

    assert live_stack.desk.acts(mark) == []
    assert live_stack.desk.run("drift", "--suffix", SUFFIX).out == "No drift.\n"
    known = live_stack.desk.known(SUFFIX)["entries"]
    assert [known[name]["tags"] for name in ("scaling", "aurora")] == [{}, {}]
    assert known["scaling"]["confirmed"]["MaxCapacity"] == 10


def test_a_revision_that_nobody_heard_of_is_not_what_runs(live_stack: LiveStack) -> None:
    """Killed after RegisterTaskDefinition, before its reply was written down; then the image is as before."""
    ecs, former = live_stack.aws("ecs"), live_stack.task
    image = former["containerDefinitions"][0]["image"]
    told = ecs.describe_task_definition(taskDefinition=former["taskDefinitionArn"], include=["TAGS"])["tags"]
    given = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities")
    props = {key: former[key] for key in (*given, "cpu", "memory", "containerDefinitions", "runtimePlatform")}
    props["containerDefinitions"][0]["image"] = "mine.example/api:2"
    ecs.register_task_definition(**props, tags=told)
    with ledger(live_stack) as entries:
        entries[f"task~{former['taskDefinitionArn']}"] = dict(entries["task"])
        entries["task"] |= UNHEARD_OF | killed("create")
        entries["task"]["wanted"] = {**entries["task"]["wanted"], "cpu": "512"}

    live_stack.desk.apply(SUFFIX)

    runs = live_stack.service["taskDefinition"]
    assert live_stack.task["containerDefinitions"][0]["image"] == image
    assert former["taskDefinitionArn"] not in ecs.list_task_definitions()["taskDefinitionArns"]
    known = live_stack.desk.known(SUFFIX)["entries"]
    assert {name: one["id"] for name, one in known.items() if name.partition("~")[0] == "task"} == {"task": runs}


def test_a_target_group_that_nobody_heard_of_does_not_stay(live_stack: LiveStack) -> None:
    """Killed after CreateTargetGroup, before its reply was written down; then the path is as before."""
    elbv2, former = live_stack.aws("elbv2"), live_stack.target_group
    told = elbv2.describe_tags(ResourceArns=[former["TargetGroupArn"]])["TagDescriptions"][0]["Tags"]
    own = {"Name": "ml-api-tg-0000-prod", "HealthCheckPath": "/well"}
    alike = {key: former[key] for key in ("Protocol", "Port", "TargetType", "VpcId")}
    made = elbv2.create_target_group(**alike, **own, Tags=told)["TargetGroups"][0]["TargetGroupArn"]
    with ledger(live_stack) as entries:
        entries[f"tg~{former['TargetGroupArn']}"] = dict(entries["tg"])
        entries["tg"] |= UNHEARD_OF | killed("create")
        entries["tg"]["wanted"] = {**entries["tg"]["wanted"], **own}

    planned = live_stack.desk.plan(SUFFIX)
    live_stack.desk.apply(SUFFIX)

    assert "- alb/tg~?000" in planned
    assert [one["TargetGroupArn"] for one in elbv2.describe_target_groups()["TargetGroups"]] == [
        former["TargetGroupArn"]
    ]
    assert made != former["TargetGroupArn"]


def test_a_rule_that_nobody_heard_of_takes_no_other_with_it(live_stack: LiveStack) -> None:
    """Killed before AuthorizeSecurityGroupIngress; then the port is as before: that one stays."""
    rules = live_stack.ec2("describe_security_group_rules", "SecurityGroupRules")
    with ledger(live_stack) as entries:
        mine = entries["rule-alb-tasks-in"]
        entries[f"rule-alb-tasks-in~{mine['id']}"] = dict(mine)
        mine |= UNHEARD_OF | killed("create")
        mine["wanted"] = {**mine["wanted"], "FromPort": 9090, "ToPort": 9090}

    mark = live_stack.desk.mark()
    live_stack.desk.apply(SUFFIX)

    assert live_stack.desk.acts(mark) == []
    assert live_stack.ec2("describe_security_group_rules", "SecurityGroupRules") == rules
