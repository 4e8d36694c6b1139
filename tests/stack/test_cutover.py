"""What serves goes on serving: a target group is replaced, a port changes, a prefix moves elsewhere."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.emulator.emulator import Emulator
from provisioner.emulator.server import LocalAws
from provisioner.emulator.traffic import meets_condition
from provisioner.emulator.wire import Call, compose_call, parse_reply
from provisioner.engine.types.data import CutoverPhase
from provisioner.errors import RolledBack
from provisioner.resources.elbv2.listener_rules import ListenerRule
from provisioner.resources.elbv2.listeners import Listener
from tests.engine.test_conflicts import ONE, OTHER
from tests.stack.test_services import leads_to
from tests.support.account_inventory import inventory
from tests.support.manual_changes import settle
from tests.support.user import User

IMAGE = ("--set", "image=mine.example/api:1")
HTTPS = (*IMAGE, "--set", "container.protocol=HTTPS")
Low = dict[str, int]


class Watch:
    """The least number of healthy targets that each path ever had, looked at after every mutating call."""

    def __init__(self, emulator: Emulator) -> None:
        self._answer = emulator.run_alone
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
        call = compose_call("elbv2", operation, "us-east-1", **params)
        return parse_reply(call, self._answer(call))

    def _look(self) -> None:
        self.looks += 1
        for balancer in self._ask("DescribeLoadBalancers")["LoadBalancers"]:
            arn = balancer["LoadBalancerArn"]
            for listener in self._ask("DescribeListeners", LoadBalancerArn=arn)["Listeners"]:
                for rule in self._ask("DescribeRules", ListenerArn=listener["ListenerArn"])["Rules"]:
                    self._note(rule)

    def _note(self, rule: dict[str, Any]) -> None:
        (action,) = rule["Actions"]
        if action["Type"] != "forward" or any(one["Field"] == "source-ip" for one in rule["Conditions"]):
            return
        groups = {one["TargetGroupArn"]: one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]}
        paths = [path for one in rule["Conditions"] for path in one.get("Values") or []]
        path = "*" if rule["IsDefault"] else (paths or ["guarded"])[0]
        # A request goes to each group that has any weight: the worst of them counts.
        count = min(self._healthy(arn) for arn, weight in groups.items() if weight)
        self.least[path] = min(count, self.least.get(path, count))
        if path == "*" and groups not in self.weights[-1:]:
            self.weights.append(groups)

    def _healthy(self, group: str) -> int:
        told = self._ask("DescribeTargetHealth", TargetGroupArn=group)["TargetHealthDescriptions"]
        return sum(one["TargetHealth"]["State"] == "healthy" for one in told)


@pytest.fixture(scope="module")
def user(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """One stack of an image of one's own, for all of these tests: each leaves it well."""
    made = User.before(served, tmp_path_factory.mktemp("handover") / "home")
    made.apply("a", *IMAGE)
    return made


@pytest.fixture
def watch(user: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Whoever looks at the stack from now on; AWS takes a hundredth of its time."""
    looker = Watch(user.box.emulator)
    user.slow(0.01)
    with monkeypatch.context() as patch:
        patch.setattr(user.box.emulator, "run_alone", looker)
        yield looker
    user.slow(0.0)
    user.well("apply", "--yes", "--suffix", "a", *IMAGE)


def groups(user: User) -> set[str]:
    return set(inventory(user.box.endpoint)["target group"])


def test_a_rule_that_leads_to_whom_nobody_is_led_yet_is_asked_of_nobody_until_the_requests_move() -> None:
    forward = {"Type": "forward", "TargetGroupArn": "new"}
    path = {"Field": "path-pattern", "Values": ["/x/*"]}
    wanted = {"Priority": 7, "Conditions": [path], "Actions": [forward]}
    rule = ListenerRule()

    first = rule.initial_properties(wanted, {"old"}, {})

    assert not all(meets_condition(one, "/x/1", {}) for one in first["Conditions"])
    assert rule.routes_to(first) == []
    assert rule.properties_at(CutoverPhase.JOIN, wanted, first, {"old"}) == first
    assert rule.properties_at(CutoverPhase.SHIFT, wanted, first, {"old"}) == wanted
    assert rule.routes_to(wanted) == ["new"]
    assert rule.initial_properties(wanted, {"old", "new"}, {}) == wanted
    assert rule.initial_properties(wanted, set(), {}) == wanted
    assert rule.routes_to(rule.initial_properties(wanted, {"old"}, {"new": "old"})) == ["old"]
    listener = Listener()
    joined = listener.initial_properties({"Port": 80, "DefaultActions": [forward]}, {"old"}, {"new": "old"})
    assert listener.routes_to(joined) == ["old"]
    assert listener.routes_to(
        listener.properties_at(CutoverPhase.SHIFT, {"DefaultActions": [forward]}, joined, set())
    ) == ["new"]


def test_a_target_group_is_replaced_and_every_path_has_somebody_at_every_call(user: User, watch: Watch) -> None:
    (old,) = groups(user)

    user.apply("a", *HTTPS)

    (new,) = groups(user)
    assert watch.looks > 8
    assert min(watch.least.values()) >= 2, watch.least
    assert watch.weights == [{old: 1}, {old: 1, new: 0}, {old: 0, new: 1}, {new: 1}]
    assert watch.calls.index("PutScalingPolicy") < watch.calls.index("DeleteTargetGroup")
    assert watch.calls.count("UpdateService") == 2


def cut_off(user: User, after: int | str, *settings: str) -> None:
    """An apply whose credentials end with one of its calls, by number or by name: none comes after that."""
    at = {"operation": after} if isinstance(after, str) else {"at": after}
    user.box.emulator.faults.replace([{"fault": "expired", "times": 1000, **at}])
    ran = user.run("apply", "--yes", "--suffix", "a", *settings)
    user.box.emulator.faults.replace([])
    assert ran.code != 0
    assert "Traceback" not in ran.err


def answers(path: str, *, asked: str = "") -> tuple[str, ...]:
    """An image that says 200 at one path alone, and whether it is asked there."""
    given = (
        f"container.environment={json.dumps({'ANSWERS': path})}",
        f"container.health_path={asked or path}",
    )
    return (*IMAGE, "--set", given[0], "--set", given[1])


@pytest.mark.slow
def test_another_health_path_is_asked_of_nobody_who_does_not_answer_it(user: User, watch: Watch) -> None:
    user.apply("a", *answers("/health"))
    watch.least.clear()

    user.apply("a", *answers("/well"))

    assert len(groups(user)) == 1
    assert min(watch.least.values()) >= 2, watch.least
    user.apply("a", *answers("/health"))
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.slow
def test_a_health_path_that_nobody_answers_is_told_and_the_requests_go_on(user: User, watch: Watch) -> None:
    before = groups(user)
    user.apply("a", *answers("/health"))

    ran = user.run("apply", "--yes", "--suffix", "a", *answers("/health", asked="/helth"))
    assert ran.code == RolledBack.exit_code, ran.err
    user.apply("a", *IMAGE)

    assert groups(user) == before
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.slow
@pytest.mark.parametrize("after", range(2, 14))
def test_another_health_path_that_is_cut_off_anywhere_goes_back_without_a_gap(
    user: User, watch: Watch, after: int
) -> None:
    user.apply("a", *answers("/health"))
    watch.least.clear()

    cut_off(user, after, *answers("/well"))
    user.apply("a", *answers("/health"))

    assert len(groups(user)) == 1
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.slow
def test_a_replacement_that_is_cut_off_when_the_weight_has_moved_goes_back_without_a_gap(
    user: User, watch: Watch
) -> None:
    cut_off(user, 9, *HTTPS)

    user.apply("a", *IMAGE)

    assert len(groups(user)) == 1
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.parametrize("settings", [HTTPS, pytest.param(IMAGE, marks=pytest.mark.slow)], ids=["on", "back"])
def test_a_ledger_that_is_lost_between_two_groups_costs_nobody_and_leaves_nothing(
    user: User, watch: Watch, settings: tuple[str, ...]
) -> None:
    user.slow(0.0)
    cut_off(user, "ecs:UpdateService", *HTTPS)
    settle(lambda: groups(user))
    assert len(groups(user)) == 2
    user.ledger("a").unlink()

    planned = user.plan("a", *settings)
    user.apply("a", *settings)

    assert re.search(r"  - alb/tg~arn:aws:\S+: TargetGroup ml-api-tg-....-a", planned)
    assert len(groups(user)) == 1
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.slow
def test_where_no_task_gets_well_in_the_new_group_the_requests_stay_and_one_can_go_back(
    user: User, watch: Watch
) -> None:
    before = groups(user)

    ran = user.run("apply", "--yes", "--suffix", "a", *HTTPS, "--set", 'container.environment={"EXIT": "1"}')
    assert ran.code == RolledBack.exit_code, ran.err
    user.apply("a", *IMAGE)

    assert groups(user) == before
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.slow
def test_another_port_is_opened_before_the_tasks_move_and_the_old_one_closed_after(user: User, watch: Watch) -> None:
    before = groups(user)

    user.apply("a", *IMAGE, "--set", "container.port=9090")

    assert groups(user) == before
    assert min(watch.least.values()) >= 2, watch.least
    order = [watch.calls.index(one) for one in ("AuthorizeSecurityGroupIngress", "UpdateService")]
    assert order == sorted(order)
    assert watch.calls.index("UpdateService") < watch.calls.index("RevokeSecurityGroupIngress")


@pytest.mark.slow
def test_a_prefix_moves_to_a_new_service_and_back_without_a_gap(user: User, watch: Watch) -> None:
    second = {"second": {"prefixes": ["/api/v2/*"], "minimum": 1, "port": 9000}}
    main = leads_to(user.box.endpoint, "/api/v2/*")

    user.apply("a", *IMAGE, "--set", 'api.prefixes=["/api/v1/*"]', "--set", f"api.services={json.dumps(second)}")

    assert leads_to(user.box.endpoint, "/api/v2/*").isdisjoint(main)
    user.apply("a", *IMAGE)
    assert leads_to(user.box.endpoint, "/api/v2/*") == main
    assert watch.least["/api/v2/*"] >= 1
    assert watch.least["/api/v1/*"] >= 2


@pytest.mark.slow
@pytest.mark.parametrize(("then", "since"), [("send", "require"), ("off", "require"), ("require", "off")])
def test_a_guard_changes_while_a_group_is_replaced_and_every_path_has_somebody(
    user: User, watch: Watch, then: str, since: str
) -> None:
    user.apply("a", *IMAGE, "--set", f"edge.guard={since}")
    watch.least.clear()

    user.apply("a", *IMAGE, "--set", f"edge.guard={then}", "--set", "container.health_path=/well")

    assert min(watch.least.values()) >= 2, watch.least
    assert "guarded" in watch.least


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 6, 14])
def test_a_path_is_given_to_a_new_service_and_taken_back_without_a_gap(user: User, watch: Watch, after: int) -> None:
    path = "/api/v1/deep/*"
    deep = {"second": {"prefixes": [path], "minimum": 1, "port": 9000}}
    settings = (*IMAGE, "--set", f"api.services={json.dumps(deep)}")

    if after:
        cut_off(user, after, *settings)
    user.apply("a", *settings)

    assert watch.least[path] >= 1
    watch.calls.clear()
    user.apply("a", *IMAGE)
    assert watch.least[path] >= 1
    assert watch.calls.index("DeleteRule") < watch.calls.index("DeleteService")


@pytest.mark.slow
def test_a_replacement_whose_process_is_killed_goes_on_with_the_same_command(user: User, watch: Watch) -> None:
    with user.spawn("apply", "--local", "--yes", "--suffix", "a", *HTTPS) as process:
        user.box.emulator.faults.replace([{"fault": "kill_after", "at": 12, "pid": process.pid}])
        process.communicate(timeout=120)
    user.box.emulator.faults.replace([])
    assert process.returncode == -signal.SIGKILL

    user.apply("a", *HTTPS)

    assert len(groups(user)) == 1
    assert min(watch.least.values()) >= 2, watch.least


@pytest.mark.slow
def test_a_prefix_that_comes_while_another_goes_takes_a_place_that_nobody_holds(user: User, watch: Watch) -> None:
    user.well("apply", "--yes", "--suffix", "a", *IMAGE, "--set", f'api.prefixes=["{ONE}"]')

    user.apply("a", *IMAGE, "--set", f'api.prefixes=["{OTHER}"]')

    assert leads_to(user.box.endpoint, OTHER)
    assert not leads_to(user.box.endpoint, ONE)
    assert watch.least["*"] >= 2
