from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from provisioner.configuration import load_settings
from provisioner.engine.resource_graph.graph import Edge, Stack
from provisioner.engine.resource_graph.references import Ref, interpolate, refs_in
from provisioner.errors import UsageError
from provisioner.names import NAME_TEMPLATES
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.support.fake_resources import Part, Thing


class Named(Thing):
    """Its name is a property, and comes in several."""

    noun, name_property, discriminators = "tg", "Name", ("Port",)


def built(*sets: str, suffix: str = "prod", region: str = "us-east-1") -> Stack:
    settings: Settings = load_settings(None, ["profile=seed", *sets], {})
    return build(settings, suffix, region, offline_lookups(settings.network.zones, settings.database.version))


def test_mentioning_a_thing_is_depending_on_it() -> None:
    step = Stack("prod", "us-east-1").step("p")
    one, two = step(Thing, "one"), step(Thing, "two")

    step(Thing, "three", Plain=one.id, Deep=[{"Arn": interpolate("x:{}", two["Arn"])}], Again=one["Zone"])

    assert step.stack.resources["three"].depends_on == ["one", "two"]


def test_what_no_property_shows_is_said() -> None:
    step = Stack("prod", "us-east-1").step("p")
    one, two = step(Thing, "one"), step(Thing, "two")

    step(Thing, "three", depends_on=[one, two.ready("it must run")])

    assert step.stack.resources["three"].edges == (Edge("one"), Edge("two", ready=True, reason="it must run"))


def test_two_nodes_of_one_name_are_an_error() -> None:
    step = Stack("prod", "us-east-1").step("p")
    step(Thing, "one")

    with pytest.raises(ValueError, match="one"):
        step(Thing, "one")


def test_a_name_and_its_tags_are_made_from_the_noun() -> None:
    stack = Stack("prod", "us-east-1", {"Owner": "ada"})
    handle = stack.step("p")(Named, "group", Port=80)
    resource = stack.resources["group"]

    assert resource.props["Name"] == resource.aws_name == handle.aws_name == resource.tags["Name"]
    assert resource.tags["ml-api:node"] == "group"
    assert resource.tags["Owner"] == "ada"


def test_what_tells_two_apart_is_in_their_names() -> None:
    def name(port: int) -> str:
        return Stack("prod", "us-east-1").step("p")(Named, "group", Port=port).aws_name

    assert name(80) == name(80) != name(81)


def test_what_takes_no_tags_gets_none() -> None:
    stack = Stack("prod", "us-east-1", {"Owner": "ada"})
    stack.step("p")(Part, "part")

    assert stack.resources["part"].tags == {}


def test_the_stack_is_built_without_any_call() -> None:
    assert len(built().resources) > 70


def test_the_same_settings_build_the_same_stack() -> None:
    assert built().resources == built().resources


def test_no_node_comes_after_itself() -> None:
    order = list(
        TopologicalSorter({resource.logical_id: set(resource.depends_on) for resource in built()}).static_order()
    )

    assert sorted(order) == sorted(built().resources)


def test_every_ref_leads_to_a_declared_node_that_comes_before() -> None:
    stack = built()
    before: set[str] = set()

    for resource in stack:
        assert set(resource.depends_on) <= before
        assert {ref.logical_id for ref in refs_in(resource.props)} <= set(resource.depends_on)
        before.add(resource.logical_id)
    assert {ref.logical_id for ref in refs_in(stack.outputs)} <= before


def test_every_wait_for_readiness_says_why() -> None:
    waits = [edge for resource in built("image=mine:1") for edge in resource.edges if edge.ready]

    assert waits
    assert all(edge.reason for edge in waits)


def test_the_service_waits_for_all_that_a_start_needs() -> None:
    edges = {edge.to: edge.ready for edge in built().resources["service"].edges}

    assert edges["nat-1"]
    assert {"route-private-1", "ecs-logs"} <= edges.keys()
    for policy in ("execution-role-start", "execution-role-secrets", "task-role-use"):
        assert edges[policy]
    for rule in ("rule-api-v1", "rule-api-v2"):
        assert edges[rule]


@pytest.mark.parametrize(
    ("sets", "waits"),
    [
        ((), False),
        (("image=mine:1",), True),
        (("image=mine:1", "service.wait_for_database=false"), False),
        (("service.wait_for_database=true",), True),
    ],
)
def test_only_an_image_that_needs_it_waits_for_the_database(sets: tuple[str, ...], waits: bool) -> None:
    assert (Edge("writer", True, "the image connects when it starts") in built(*sets).resources["service"].edges) is (
        waits
    )


def test_nobody_waits_for_readiness_without_need() -> None:
    """CloudFront needs of the balancer only its name and rules; a route takes a gateway that is pending."""
    stack = built()

    assert not any(edge.ready for name in ("route-private-1", "writer") for edge in stack.resources[name].edges)
    waited = {edge.to for edge in stack.resources["edge"].edges if edge.ready}
    assert waited == {
        "listener-80",
        *(name for name in stack.resources if str(stack.resources[name].type) == "ListenerRule"),
    }


def test_stacks_of_other_suffixes_share_no_name() -> None:
    """The hash of one stack's name may be the suffix of another's."""
    names = {resource.aws_name for resource in built() if resource.aws_name and not resource.type.account_wide}
    hashes = {name.split("-")[-2] for name in names}
    others = [f"{one}-prod" for one in hashes if len(one) == 4] + [
        "prod-2",
        "a-prod",
        "logs-prod",
        "alb-prod",
    ]

    for suffix in others:
        assert not names & {resource.aws_name for resource in built(suffix=suffix) if resource.aws_name}


def test_every_template_of_a_name_is_used() -> None:
    from provisioner.names import name_of

    stacks = (built(), built("profile=production"), built("service.exec=true"))
    used = {resource.aws_name for stack in stacks for resource in stack}
    unused = {noun for noun in NAME_TEMPLATES if name_of(noun, "prod") not in used}

    assert unused <= {"dbsecret"}


def test_nothing_of_the_stack_names_a_region_it_is_not_in() -> None:
    stack = built(region="eu-west-1")

    assert "us-east-1" not in str([resource.props for resource in stack])
    assert "eu-west-1" in str([resource.props for resource in stack])


def test_the_outputs_are_the_seeds() -> None:
    assert list(built().outputs) == [
        "alb_dns_name",
        "cloudfront_domain_name",
        "cloudfront_distribution_url",
        "rds_cluster_endpoint",
        "dynamodb_table_name",
        "ecs_cluster_name",
        "ecs_service_name",
        "vpc_id",
    ]
    assert built().outputs["vpc_id"] == Ref("vpc", "id")


def test_a_bad_suffix_builds_nothing() -> None:
    with pytest.raises(UsageError):
        built(suffix="Bad_Suffix")


@pytest.mark.parametrize(("nat", "count"), [("one", 1), ("per_zone", 3)])
def test_each_way_out_has_its_own_address_table_and_route(nat: str, count: int) -> None:
    names = built(f"network.nat={nat}").resources.keys()

    for type_name in ("nat", "eip", "routes-private", "route-private"):
        assert len([name for name in names if name in {f"{type_name}-{n}" for n in range(1, 9)}]) == count
