"""`edge.guard` on a stack that serves: switched on and off, and no request of CloudFront is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from provisioner.emulator.emulator import Emulator
from provisioner.emulator.server import LocalAws
from provisioner.emulator.wire import Call, compose_call, parse_reply
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase
from provisioner.errors import Blocked
from provisioner.resources.cloudfront import Distribution
from provisioner.resources.elbv2.listener_rules import ListenerRule
from tests.support.user import User

PATHS = ("/api/v1/things", "/api/v2/things", "/errors/404.html", "/elsewhere")
REQUIRE = ("--set", "edge.guard=require")
HEADER = "X-Origin-Key"
Doc = dict[str, Any]


class Viewer:
    """Asks for every path after each call that changes anything, as any edge of CloudFront may."""

    def __init__(self, emulator: Emulator) -> None:
        self._answer = emulator.run_alone
        self.asked = 0
        self.refused: list[str] = []
        self.calls: list[str] = []
        # What edges may show that have not learned the latest yet.
        self._former: set[str] = set()

    def __call__(self, call: Call) -> Any:
        former = self._shown() if call.operation == "UpdateDistribution" else set()
        answer = self._answer(call)
        self._former |= former
        if call.mutating:
            self.calls.append(call.operation)
            self._look(call.operation)
        return answer

    def _ask(self, service: str, operation: str, **params: Any) -> Any:
        call = compose_call(service, operation, "us-east-1", **params)
        return parse_reply(call, self._answer(call))

    def _edge(self) -> Doc:
        [edge] = self._ask("cloudfront", "ListDistributions")["DistributionList"]["Items"]
        return dict(self._ask("cloudfront", "GetDistribution", Id=edge["Id"])["Distribution"])

    def _shown(self) -> set[str]:
        origin = self._edge()["DistributionConfig"]["Origins"]["Items"][0]
        listed = origin["CustomHeaders"].get("Items") or []
        return {one["HeaderValue"] for one in listed if one["HeaderName"] == HEADER} or {""}

    def _look(self, after: str) -> None:
        if self._edge()["Status"] == "Deployed":
            self._former.clear()
        [balancer] = self._ask("elbv2", "DescribeLoadBalancers")["LoadBalancers"]
        arn = balancer["LoadBalancerArn"]
        [listener] = self._ask("elbv2", "DescribeListeners", LoadBalancerArn=arn)["Listeners"]
        rules = self._ask("elbv2", "DescribeRules", ListenerArn=listener["ListenerArn"])["Rules"]
        for key in self._former | self._shown():
            for path in PATHS:
                self.asked += 1
                if not (self._comes_in(balancer) and self._is_answered(rules, path, key)):
                    self.refused.append(f"{path} with {key[:6] or 'no key'} after {after}")

    def _comes_in(self, balancer: Doc) -> bool:
        """Whether CloudFront's addresses are let in on port 80."""
        asked = [{"Name": "group-id", "Values": balancer["SecurityGroups"]}]
        rules = self._ask("ec2", "DescribeSecurityGroupRules", Filters=asked)["SecurityGroupRules"]
        inward = [one for one in rules if not one["IsEgress"] and one["FromPort"] <= 80 <= one["ToPort"]]
        return any(one.get("CidrIpv4") == "0.0.0.0/0" or one.get("PrefixListId") for one in inward)

    def _is_answered(self, rules: list[Doc], path: str, key: str) -> bool:
        ordered = sorted(rules, key=lambda rule: (rule["IsDefault"], int(re.sub(r"\D", "", rule["Priority"]) or 0)))
        met = next(rule for rule in ordered if all(_meets(one, path, key) for one in rule["Conditions"]))
        page = met["Actions"][0].get("FixedResponseConfig", {})
        return page.get("StatusCode", "200") == "200" and path.startswith("/errors") == bool(page)


def _meets(condition: Doc, path: str, key: str) -> bool:
    if condition["Field"] == "http-header":
        return key in condition["HttpHeaderConfig"]["Values"]
    values = condition.get("PathPatternConfig", condition)["Values"]
    return any(fnmatchcase(path, value) for value in values)


@pytest.fixture(scope="module")
def user(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    made = User.before(served, tmp_path_factory.mktemp("order") / "home")
    made.apply("a")
    return made


@pytest.fixture
def viewer(user: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Viewer]:
    """Somebody who looks at the open stack from now on; AWS takes a hundredth of its time."""
    user.well("apply", "--yes", "--suffix", "a")
    looker = Viewer(user.box.emulator)
    user.slow(0.01)
    with monkeypatch.context() as patch:
        patch.setattr(user.box.emulator, "run_alone", looker)
        yield looker
    user.slow(0.0)


@pytest.mark.slow
def test_it_is_switched_on_at_once_and_off_again_and_no_request_is_refused(user: User, viewer: Viewer) -> None:
    user.apply("a", *REQUIRE)
    closed = list(viewer.calls)
    user.apply("a")

    assert viewer.refused == []
    assert viewer.asked > 80
    assert closed.index("UpdateDistribution") < closed.index("ModifyRule") < closed.index("ModifyListener")
    opened = viewer.calls[len(closed) :]
    assert max(at for at, one in enumerate(opened) if one == "ModifyRule") < opened.index("UpdateDistribution")


@pytest.mark.slow
@pytest.mark.parametrize("after", [3, 6])
def test_switched_on_and_cut_off_it_goes_on_or_back(user: User, viewer: Viewer, after: int) -> None:
    user.box.emulator.faults.replace([{"fault": "expired", "at": after, "times": 1000}])
    assert user.run("apply", "--yes", "--suffix", "a", *REQUIRE).code != 0
    user.box.emulator.faults.replace([])

    user.apply("a", *REQUIRE)

    assert viewer.refused == []


def test_a_rule_asks_for_a_key_when_every_edge_shows_it_and_not_before() -> None:
    asks = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": HEADER, "Values": ["sha256:1"]}}
    seen: JsonObject = {"Conditions": [], "Actions": []}
    wanted = {"Conditions": [asks], "Actions": []}
    rule, origin = (
        ListenerRule(),
        {"CustomHeaders": {"Items": [{"HeaderName": HEADER, "HeaderValue": "sha256:1"}]}},
    )
    edge = {"Status": "InProgress", "Origins": {"Items": [origin]}}

    assert Distribution().routes_to(edge) == []
    assert rule.properties_at(CutoverPhase.JOIN, wanted, seen, set()) == seen
    with pytest.raises(Blocked, match="does not show yet"):
        rule.properties_at(CutoverPhase.SHIFT, wanted, seen, set())
    led = set(Distribution().routes_to({**edge, "Status": "Deployed"}))
    assert rule.properties_at(CutoverPhase.JOIN, wanted, seen, led) == wanted


@pytest.mark.slow
def test_the_balancer_alone_is_not_made_to_ask_for_what_cloudfront_does_not_show(user: User, viewer: Viewer) -> None:
    ran = user.run("apply", "--yes", "--suffix", "a", *REQUIRE, "--target", "alb")

    assert ran.code != 0
    assert "CloudFront learns the key first" in ran.err
    assert viewer.refused == []
    user.apply("a")
    assert viewer.refused == []
