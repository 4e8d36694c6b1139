"""What serves goes on serving: a target group is replaced, a port changes, a prefix moves to another service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.embedded.box import Box
from provisioner.embedded.wire import Call, compose, parsed
from tests.harness import Desk
from tests.inventory import inventory
from tests.test_services import leads_to

IMAGE = ("--set", "image=mine.example/api:1")
HTTPS = (*IMAGE, "--set", "container.protocol=HTTPS")
Low = dict[str, int]


class Watch:
    """The least number of healthy targets that each path ever had, looked at after every mutating call."""

    def __init__(self, box: Box) -> None:
        self._answer = box._take_turn
        self.looks = 0
        self.least: dict[str, int] = {}
        self.calls: list[str] = []
        self.weights: list[dict[str, int]] = []

    def __call__(self, call: Call) -> Any:
        answer = self._answer(call)
        if call.mutating:
            self.calls.append(call.operation)
            self._look()
        return answer

    def _ask(self, operation: str, **params: Any) -> Any:
        call = compose("elbv2", operation, "us-east-1", **params)
        return parsed(call, self._answer(call))

    def _look(self) -> None:
        self.looks += 1
        for balancer in self._ask("DescribeLoadBalancers")["LoadBalancers"]:
            arn = balancer["LoadBalancerArn"]
            for listener in self._ask("DescribeListeners", LoadBalancerArn=arn)["Listeners"]:
                for rule in self._ask("DescribeRules", ListenerArn=listener["ListenerArn"])["Rules"]:
                    self._note(rule)

    def _note(self, rule: dict[str, Any]) -> None:
        (action,) = rule["Actions"]
        if action["Type"] != "forward":
            return
        groups = {one["TargetGroupArn"]: one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]}
        path = "*" if rule["IsDefault"] else rule["Conditions"][0]["Values"][0]
        # A request goes to each group that has any weight: the worst of them counts.
        count = min(self._healthy(arn) for arn, weight in groups.items() if weight)
        self.least[path] = min(count, self.least.get(path, count))
        if path == "*" and groups not in self.weights[-1:]:
            self.weights.append(groups)

    def _healthy(self, group: str) -> int:
        told = self._ask("DescribeTargetHealth", TargetGroupArn=group)["TargetHealthDescriptions"]
        return sum(one["TargetHealth"]["State"] == "healthy" for one in told)


@pytest.fixture
def watch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A stack of one's own image, and whoever looks at it from now on; AWS takes a fiftieth of its time."""
    desk.apply("a", *IMAGE)
    desk.slow(0.01)
    looker = Watch(desk.box.box)
    monkeypatch.setattr(desk.box.box, "_take_turn", looker)
    return looker


def groups(desk: Desk) -> set[str]:
    return set(inventory(desk.box.endpoint)["target group"])


def test_a_target_group_is_replaced_and_every_path_has_somebody_at_every_call(
    desk: Desk, watch: Watch
) -> None:
    (old,) = groups(desk)

    desk.apply("a", *HTTPS)

    (new,) = groups(desk)
    assert watch.looks > 8
    assert min(watch.least.values()) >= 2, watch.least
    assert watch.weights == [{old: 1}, {old: 1, new: 0}, {old: 0, new: 1}, {new: 1}]
    assert watch.calls.index("PutScalingPolicy") < watch.calls.index("DeleteTargetGroup")
    assert watch.calls.count("UpdateService") == 2
