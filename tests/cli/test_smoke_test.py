"""The smoke test: what each answer means; and that it is asked, by CloudFront and at the balancer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from provisioner.commands.smoke_test import (
    CLOUDFRONT,
    LOAD_BALANCER,
    EntryPoint,
    SmokeRequest,
    entry_points,
    judge_response,
    send_request,
)
from state.stack_state import ResourceState, StackLocation, StackState
from tests.support.fault_proxy import FaultProxy, Trust, plays
from tests.support.live_stack import SUFFIX
from tests.support.user import User


@pytest.mark.parametrize(
    ("via", "path", "status", "closed", "well"),
    [
        (CLOUDFRONT, "/health", 200, False, True),
        (CLOUDFRONT, "/health", 404, False, False),
        (CLOUDFRONT, "/health", 301, False, False),
        (CLOUDFRONT, "/health", None, False, False),
        (CLOUDFRONT, "/api/v1/", 404, False, True),
        (CLOUDFRONT, "/api/v1/", 502, False, False),
        (LOAD_BALANCER, "/health", 301, False, True),
        (LOAD_BALANCER, "/api/v1/", 503, False, False),
        (LOAD_BALANCER, "/health", 403, True, True),
        (LOAD_BALANCER, "/health", None, True, True),
        (LOAD_BALANCER, "/health", 200, True, False),
        (LOAD_BALANCER, "/health", 502, True, False),
    ],
)
def test_what_an_answer_means(via: str, path: str, status: int | None, closed: bool, well: bool) -> None:
    assert judge_response(SmokeRequest(via, path, status, "timed out"), "/health", closed=closed)[0] is well


@pytest.mark.parametrize("rule", ["rule-guarded", "tls-rule-guarded"])
def test_a_balancer_that_asks_for_a_key_is_closed_to_all_but_cloudfront(rule: str) -> None:
    state = StackState("prod", StackLocation("1", "aws", "here"))
    state.outputs = {"alb_dns_name": "alb.example"}
    state.resources = {rule: ResourceState("ListenerRule", rule)}
    session = SimpleNamespace(state=state)

    (door,) = entry_points(session)  # type: ignore[arg-type]

    assert door.closed


@pytest.mark.slow
def test_each_path_is_asked_by_both_ways(user: User) -> None:
    user.well("apply", "--yes", "--suffix", SUFFIX)

    ran = user.well("deploy", "--yes", "--suffix", SUFFIX, "--image", "good:1", "--json")

    asked = [(one["via"], one["path"], one["status"]) for one in ran.lines if one["type"] == "smoke"]
    paths = ("/health", "/api/v1/", "/api/v2/")
    assert asked == [(via, path, 200) for via in (CLOUDFRONT, LOAD_BALANCER) for path in paths]

    ran = user.run("deploy", "--yes", "--suffix", SUFFIX, "--image", "bad:1", "--env", "ANSWERS=/health")
    assert ran.code == 0, ran.err
    assert "404: said by the image" in ran.err

    user.well("apply", "--yes", "--suffix", SUFFIX, "--set", "edge.guard=require")
    ran = user.well("restart", "--yes", "--suffix", SUFFIX, "--json")
    (direct,) = [one for one in ran.lines if one["type"] == "smoke" and one["via"] == LOAD_BALANCER]
    assert (direct["status"], direct["well"]) == (None, True)
    assert all(one["well"] for one in ran.lines if one["type"] == "smoke")


@pytest.mark.parametrize("closed", [True, False])
def test_who_was_not_asked_is_neither_well_nor_broken(closed: bool) -> None:
    visit = SmokeRequest(CLOUDFRONT, "/health", None, "not asked: no trust", is_asked=False)

    assert judge_response(visit, "/health", closed=closed) == (True, "not asked: no trust")


def behind(front: FaultProxy, url: str) -> SmokeRequest:
    """What comes of a request to a door beyond the front."""
    session = SimpleNamespace(aws=SimpleNamespace(local=None))
    return send_request(session, EntryPoint(CLOUDFRONT, url), "/health")  # type: ignore[arg-type]


def test_the_smoke_test_trusts_what_boto3_trusts(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = Trust(tmp_path / "trust")
    with FaultProxy(user.box.endpoint, trust) as front:
        monkeypatch.setenv("HTTPS_PROXY", front.as_proxy["HTTPS_PROXY"])
        front.order(plays.empty(200), host="d1.cloudfront.net", times=9)
        url = "https://d1.cloudfront.net"

        untrusted = behind(front, url)
        assert (untrusted.status, untrusted.is_asked) == (None, False)
        assert "AWS_CA_BUNDLE" in untrusted.why

        for variable in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(variable, str(trust.bundle))
                assert behind(front, url) == SmokeRequest(CLOUDFRONT, "/health", 200)

        monkeypatch.setenv("AWS_CA_BUNDLE", str(trust.bundle))
        front.order(plays.wants_proxy_credentials(), method="CONNECT")
        assert not behind(front, url).is_asked

        front.leave()
        assert not behind(front, url).is_asked


def test_a_door_that_drips_is_given_up(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = Trust(tmp_path / "trust")
    monkeypatch.setattr("provisioner.commands.smoke_test._TIMEOUT", 0.4)
    with FaultProxy(user.box.endpoint, trust) as front:
        monkeypatch.setenv("HTTPS_PROXY", front.as_proxy["HTTPS_PROXY"])
        monkeypatch.setenv("AWS_CA_BUNDLE", str(trust.bundle))
        order = front.order(plays.dripped_page(0.05), host="d1.cloudfront.net", times=9)

        visit = behind(front, "https://d1.cloudfront.net")

    assert (visit.status, order.struck) == (None, 1)
    assert visit.why
