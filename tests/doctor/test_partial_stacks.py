"""`doctor` on stacks of other shapes: half up, without NAT, with tasks that do not stay."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.emulator.patches.cloudfront_vpc_origins import origins
from tests.doctor.test_doctor import states, told
from tests.support.breakages.deed import close_in
from tests.support.breakages.network import fail_gateway
from tests.support.breakages.tasks import push
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack
from tests.support.user import User

# What is not there yet when only the first node of a stack is.
ABSENT = {
    "distribution": "distribution-absent",
    "balancer": "balancer-absent",
    "service": "service-absent",
    "cluster": "cluster-absent",
    "table": "table-absent",
}


def named(record: dict[str, Any]) -> dict[str, str]:
    """The name of each finding, by its check."""
    return {one["check"]: one["finding"] for one in record["checks"] if one["state"] == "wrong"}


def amiss(line: dict[str, Any]) -> dict[str, str]:
    """What AWS says of each resource that `states` names: what was done, and nothing that follows from it."""
    return dict(re.findall(r"([\w-]+) \([^)]+\) is (\w+)", line["what"]))


def test_a_stack_without_a_network_is_told_to_be_finished(user: User) -> None:
    user.well("apply", "--yes", "--suffix", SUFFIX, "--target", "sessions")

    ran = user.run("doctor", "--json")

    absent = {check: name for check, name in ABSENT.items() if check != "table"}
    assert named(told(ran)) == {**absent, "vpc": "vpc-absent"}


def test_a_stack_that_is_half_up_is_told_to_be_finished(user: User) -> None:
    user.well("apply", "--yes", "--suffix", SUFFIX, "--target", "vpc")

    ran = user.run("doctor", "--json")

    assert ran.code == 1
    assert named(told(ran)) == ABSENT
    assert told(ran)["first"]["what"] == f"There is no distribution ml-api-edge-{SUFFIX}."
    assert told(ran)["first"]["type"] == f"python cli.py apply --suffix {SUFFIX} --local"
    assert {one["state"] for one in told(ran)["checks"] if one["check"] == "vpc"} == {"ok"}
    user.apply(SUFFIX)
    assert user.run("doctor").code == 0


@pytest.mark.slow
def test_tasks_that_end_by_themselves_are_told_with_their_last_lines(user: User) -> None:
    failing = user.run("apply", "--yes", "--suffix", SUFFIX, "--set", 'container.environment={"EXIT": "3"}')
    assert failing.code == 10

    ran = user.run("doctor", "--json")

    assert ran.code == 1
    assert {"stopped", "deployment"} <= states(told(ran), "wrong")
    found = {one["check"]: one for one in told(ran)["checks"]}
    assert "ended with exit code 3" in found["stopped"]["what"]
    assert "ending with exit code 3" in found["stopped"]["evidence"]
    assert states(told(ran), "not checked") == set()


@pytest.mark.slow
def test_of_a_deployment_that_was_rolled_back_there_is_only_a_note(user: User) -> None:
    user.apply(SUFFIX)
    bad = ("deploy", "--yes", "--suffix", SUFFIX, "--image", "bad:1", "--env", "HOW=EXIT=3")
    assert user.run(*bad).code == 10

    ran = user.well("doctor", "--json")

    notes = {one["check"]: one["note"] for one in told(ran)["checks"]}
    assert "3 of ml-api-service-prod did within the hour" in notes["stopped"]
    assert "was rolled back: `releases` tells" in notes["deployment"]


@pytest.mark.slow
def test_without_nat_the_endpoints_are_the_way_out(user: User) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:1"
    live_stack = LiveStack(user)
    live_stack.aws("ecr").create_repository(repositoryName="shop")
    push(live_stack)
    user.apply(SUFFIX, "--set", "network.nat=none", "--set", f"image={image}")
    assert states(told(user.well("doctor", "--json")), "wrong", "not checked") == set()

    close_in("sg-endpoints")(live_stack)
    for one in live_stack.ec2("describe_vpc_endpoints", "VpcEndpoints"):
        if one["ServiceName"].endswith(".logs"):
            live_stack.aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[one["VpcEndpointId"]])
    live_stack.aws("ec2").modify_vpc_attribute(VpcId=live_stack.vpc, EnableDnsHostnames={"Value": False})
    found = {one["check"]: one for one in told(user.run("doctor", "--json"))["checks"]}

    told_wrong = {name: one["finding"] for name, one in found.items() if one["state"] == "wrong"}
    assert told_wrong == {
        "names": "names-unresolved",
        "routes": "no-way-out",
        "endpoint-path": "endpoint-shut",
        "states": "resource-not-healthy",
    }
    assert "enableDnsHostnames is off" in found["names"]["what"]
    assert "no route out and no endpoint for logs" in found["routes"]["what"]
    assert "does not let the tasks of ml-api-service-prod in on port 443" in found["endpoint-path"]["what"]
    assert amiss(found["states"]) == {"rule-endpoints-in": "missing", "endpoint-logs": "missing"}
    user.apply(SUFFIX, "--set", "network.nat=none", "--set", f"image={image}")
    assert user.run("doctor").code == 0


@pytest.mark.slow
def test_a_way_into_the_vpc_is_looked_through(user: User) -> None:
    user.apply(SUFFIX, "--set", "edge.vpc_origin=true")
    assert states(told(user.well("doctor", "--json")), "wrong", "not checked") == set()

    close_in("sg-alb")(LiveStack(user))
    [way] = origins(ACCOUNT).values()
    way.status = "Deploying"
    record = told(user.run("doctor", "--json"))
    assert named(record) == {
        "origin": "vpc-origin-on-its-way",
        "path-in": "edge-shut-out",
        "states": "resource-not-healthy",
    }
    assert amiss(record["checks"][-1]) == {"rule-alb-edge": "missing", "vpc-origin": "Deploying"}

    way.status = "Deployed"
    user.apply(SUFFIX, "--set", "edge.vpc_origin=true")
    assert user.run("doctor").code == 0


@pytest.mark.slow
def test_a_nat_gateway_that_failed_holds_up_no_teardown(user: User) -> None:
    user.apply(SUFFIX)
    fail_gateway(LiveStack(user))

    ran = user.teardown(SUFFIX)

    assert "it failed and holds nothing" in ran.out + ran.err
    assert "Verified empty" in ran.out + ran.err
