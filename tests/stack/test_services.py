"""Services with prefixes of their own: said, made, changed, taken away and brought back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.configuration import load_settings
from provisioner.errors import UsageError
from provisioner.settings import Settings, Workload
from provisioner.stack import build
from provisioner.steps.alb_rules import prefix_slug
from provisioner.steps.lookups import offline_lookups
from tests.support.account_inventory import client, inventory
from tests.support.user import User

ALIKE = ["/api/search/*", "/api/search", "/API/search/*", "/v?/*/x"]
SEARCH = {"prefixes": ALIKE, "cpu": 256, "memory": 512, "minimum": 1, "port": 9000}


def services(**said: dict[str, Any]) -> tuple[str, str]:
    return "--set", f"api.services={json.dumps(said)}"


def given(*sets: str) -> Settings:
    return load_settings(None, ["profile=seed", *sets], {})


def refused(*sets: str) -> str:
    with pytest.raises(UsageError) as caught:
        given(*sets)
    return caught.value.message


def test_what_a_service_does_not_say_is_as_for_the_main_one() -> None:
    said = {"search": {**SEARCH, "environment": {"MODEL": "small"}}}
    settings = given(f"api.services={json.dumps(said)}", 'container.environment={"MODEL": "large", "LANG": "C"}')

    main, search = settings.workloads

    assert (main.name, main.prefixes, main.container.port) == ("", ("/api/v1/*", "/api/v2/*"), 8080)
    assert (search.name, search.image, search.container.port) == ("search", main.image, 9000)
    assert (search.container.cpu, search.service.minimum, search.service.maximum) == (256, 1, 10)
    assert search.container.environment == {"MODEL": "small", "LANG": "C"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"search": {"prefixes": ["/api/v1/*"]}}, "/api/v1/* is in api.prefixes and api.services.search"),
        ({"search": {"prefixes": ["/x/*", "/x/*"]}}, "/x/* is in api.services.search.prefixes"),
        ({"search": {"prefixes": ["/x/*"], "cpu": 256}}, "256 CPU units with 2048 MiB"),
        ({"search": {"prefixes": ["/x/*"], "cpu": 300}}, "api.services.search: Input should be 256, 512"),
        ({"search": {"prefixes": ["/x/*"], "minimum": 11}}, "maximum (10) is below minimum (11)"),
        ({"search": {"prefixes": ["/x/*"], "protocol": "HTTPS"}}, "the placeholder speaks plain HTTP"),
        ({"search": {"prefixes": ["/*/*/*/*/*/?"]}}, "6 wildcards; a listener rule takes 5"),
        ({"search": {"prefixes": [f"/{n}/*" for n in range(96)]}}, "98 prefixes"),
        ({"Search": {"prefixes": ["/x/*"]}}, "Search"),
        ({"search": {"prefixes": ["/x/*"], "images": "x"}}, "images"),
        ({"search": {"prefixes": []}}, "prefixes"),
    ],
)
def test_what_cannot_be_is_refused_in_words(said: dict[str, Any], reason: str) -> None:
    if said.get("search", {}).get("cpu") == 256:
        said = {"search": {**said["search"], "memory": 2560}}
        reason = "256 CPU units with 2560 MiB; 2048 is nearest"

    assert reason in refused(f"api.services={json.dumps(said)}")


def test_prefixes_that_look_alike_stand_side_by_side() -> None:
    alike = ["/api/v1/*", "/api/v1", "/api/v1*", "/api-v1/*", "/API/v1/*", "/alb/http/*", "/page/403/*", "/*"]

    assert len({prefix_slug(one) for one in alike}) == len(alike)
    assert prefix_slug("/api/v1/*") == "api-v1"
    assert not any("~" in prefix_slug(one) for one in ["/~home/*", "/a~b"])


def test_each_service_rings_by_itself_and_no_two_names_meet() -> None:
    said = {"search": SEARCH, "second-one": {"prefixes": ["/api/second/*"]}}
    settings = given(f"api.services={json.dumps(said)}", "alarms.enabled=true")

    stack = build(settings, "prod", "us-east-1", offline_lookups(3, "15"))

    for part in ("service", "tg", "task", "scaling", "alarm-unhealthy", "alarm-tasks"):
        names = [stack.resources[f"{part}{tail}"].aws_name for tail in ("", ".search", ".second-one")]
        assert len(set(names)) == len(names)
    assert stack.resources["alarm-tasks.search"].props["AlarmDescription"] == "Fewer tasks of search run than should."
    assert stack.outputs.keys() >= {"ecs_service_name_search", "ecs_service_name_second_one"}


def test_a_task_starts_when_every_way_that_it_needs_is_open() -> None:
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/ml-api:1"
    settings = given(f"api.services={json.dumps({'search': SEARCH})}", "network.nat=none", f"image={image}")

    stack = build(settings, "prod", "us-east-1", offline_lookups(3, "15"))

    for tail in ("", ".search"):
        needs = stack.resources[f"service{tail}"].depends_on
        ways = ("endpoints-in", "tasks-out", "alb-tasks-in", "tasks-db-in")
        assert {f"rule-{way}{tail}" for way in ways} <= set(needs)
        assert "endpoint-ecr-api" in needs


@pytest.mark.slow
def test_services_come_and_go_and_come_back(user: User) -> None:
    user.apply("a", *services(search=SEARCH))
    endpoint = user.box.endpoint
    ecs = client(endpoint, "ecs")
    with_search = inventory(endpoint)
    (name,) = [one.split("/")[-1] for one in with_search["ecs service"] if "ml-api-api-service" in one]
    (found,) = ecs.describe_services(cluster="ml-api-cluster-a", services=[name])["services"]
    assert (found["runningCount"], found["loadBalancers"][0]["containerPort"]) == (1, 9000)
    task = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    assert (task["cpu"], task["memory"]) == ("256", "512")
    group = found["loadBalancers"][0]["targetGroupArn"]
    assert [leads_to(endpoint, one) for one in ALIKE] == [{group}] * len(ALIKE)
    assert len(with_search["scalable target"]) == len(with_search["scaling policy"]) == 2

    asked = calls(user, *services(search=SEARCH))

    user.apply("a")
    assert asked - calls(user) <= 2
    assert count(inventory(endpoint)) == count_of_seed(with_search)
    assert leads_to(endpoint, "/api/search/*") == set()

    user.apply("a", *services(search=SEARCH))
    assert count(inventory(endpoint)) == count(with_search)
    user.teardown("a", *services(search=SEARCH))


def leads_to(endpoint: str, prefix: str) -> set[str]:
    """The target groups that the rule for a prefix gives any weight."""
    rules = [json.loads(line) for line in inventory(endpoint)["rule"].values()]
    return {
        group["TargetGroupArn"]
        for rule in rules
        if not rule["IsDefault"] and rule["Conditions"][0]["Values"] == [prefix]
        for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        if group["Weight"]
    }


def calls(user: User, *sets: str) -> int:
    """How many calls a plan makes that has nothing to say."""
    mark = user.mark()
    assert user.plan("a", *sets) == "No changes.\n"
    return user.mark() - mark


KINDS = ("rule", "target group", "security group", "group rule", "ecs service", "task definition active")


def count(found: dict[str, dict[str, str]]) -> dict[str, int]:
    return {type_name: len(found[type_name]) for type_name in KINDS}


def count_of_seed(with_one_more: dict[str, dict[str, str]]) -> dict[str, int]:
    """One service less: one of each, a rule a prefix, and the five rules of its security group."""
    several = {"group rule": 5, "rule": len(ALIKE)}
    return {type_name: n - several.get(type_name, 1) for type_name, n in count(with_one_more).items()}


def test_a_main_service_without_a_prefix_still_answers_what_no_rule_speaks_of() -> None:
    said = {"search": {"prefixes": ["/*"]}}

    main, _ = given("api.prefixes=[]", f"api.services={json.dumps(said)}").workloads

    assert isinstance(main, Workload)
    assert main.prefixes == ()
