"""The declared graph as a drawing: whole, grouped by piece, made without a call."""

from __future__ import annotations

import json
import re
import socket
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from provisioner.configuration import load_settings
from provisioner.engine.resource_graph.graph import Edge, Stack
from provisioner.errors import UsageError
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from provisioner.terminal.graph import resources_by_step
from provisioner.terminal.graph_formats import as_dot, as_mermaid
from provisioner.terminal.graph_layout import implied_edges, lay_out_graph
from provisioner.terminal.graph_svg import as_svg
from tests.engine.test_graph import built
from tests.support.fake_resources import Thing
from tests.support.user import User

SVG = "{http://www.w3.org/2000/svg}"
ODD = 'a "quoted" <b> & #1'


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack with all that the profile for production adds."""
    return built("image=mine.example/api:1", "profile=production")


@pytest.fixture
def odd() -> Stack:
    """Two nodes whose piece and reason need every escape."""
    step = Stack("prod", "us-east-1").step("end")
    one = step(Thing, "a-b")
    step(Thing, "a_b", depends_on=[one, one.ready(ODD)])
    return step.stack


def edges(stack: Stack) -> set[tuple[str, str]]:
    """Each edge once, as (what is needed, what needs it)."""
    return {(name, resource.logical_id) for resource in stack for name in resource.depends_on}


def test_mermaid_has_every_node_in_its_piece_and_every_edge_that_no_others_imply(stack: Stack) -> None:
    lines = as_mermaid(stack).splitlines()

    names = {found[1]: found[2] for line in lines if (found := re.match(r'^    (n_\w+)\["([^"<]+)<br/>', line))}
    assert list(names.values()) == [
        resource.logical_id for resources in resources_by_step(stack).values() for resource in resources
    ]
    arrows = [re.fullmatch(r'  (n_\w+) (?:-->|==>\|"[^"]+"\|) (n_\w+)', line) for line in lines]
    drawn = [(names[found[1]], names[found[2]]) for found in arrows if found]
    waits = {(edge.to, resource.logical_id) for resource in stack for edge in resource.edges if edge.ready}
    assert sorted(drawn) == sorted((edges(stack) - implied_edges(stack)) | waits)
    assert sum(line.startswith("  subgraph ") for line in lines) == lines.count("  end") > 12


def test_dot_has_every_node_in_its_piece_and_every_edge_once(stack: Stack) -> None:
    told = as_dot(stack)

    assert re.findall(r'^    "([^"]+)" \[label', told, re.MULTILINE) == [
        resource.logical_id for resources in resources_by_step(stack).values() for resource in resources
    ]
    assert sorted(re.findall(r'^  "([^"]+)" -> "([^"]+)"', told, re.MULTILINE)) == sorted(edges(stack))
    assert told.count("{") == told.count("}")
    assert re.search(r'"nat-1" -> "service" \[style=bold, label="', told)


def test_what_is_special_in_a_language_is_escaped(odd: Stack) -> None:
    mermaid = as_mermaid(odd)

    assert '  n_a_2db ==>|"a #34;quoted#34; #60;b#62; #38; #35;1"| n_a_5fb' in mermaid.splitlines()
    assert 'subgraph p_end["end"]' in mermaid
    assert '"a-b" -> "a_b" [style=bold, label="a \\"quoted\\" <b> & #1"]' in as_dot(odd)
    assert ODD in "".join(ElementTree.fromstring(as_svg(odd)).itertext())


def test_the_picture_is_whole_and_loads_nothing(stack: Stack) -> None:
    told = as_svg(stack)
    picture = ElementTree.fromstring(told)

    boxes = picture.findall(f"{SVG}g")
    assert [box.findall(f"{SVG}text")[0].text for box in boxes] == list(stack.resources)
    assert len(picture.findall(f"{SVG}path")) == len(edges(stack))
    assert not re.search(r"href|src=|url\(|@import|<script|<image", told)
    assert "prefers-color-scheme: dark" in told


def test_no_box_lies_on_another_or_outside(stack: Stack) -> None:
    picture = ElementTree.fromstring(as_svg(stack))
    rects = [box.find(f"{SVG}rect") for box in picture.findall(f"{SVG}g")]
    places = sorted((int(one.attrib["x"]), int(one.attrib["y"])) for one in rects if one is not None)

    for one, two in pairwise(places):
        assert one[0] + 190 <= two[0] or (one[0] == two[0] and one[1] + 38 <= two[1])
    width, height = int(picture.attrib["width"]), int(picture.attrib["height"])
    assert all(0 < x <= width - 190 and 0 < y <= height - 38 for x, y in places)


def test_every_edge_leads_to_the_right(stack: Stack) -> None:
    spots = lay_out_graph(stack).cells

    assert all(spots[one].column < spots[other].column for one, other in edges(stack))


def test_an_edge_is_implied_where_a_longer_way_leads_there_too() -> None:
    step = Stack("prod", "us-east-1").step("p")
    one = step(Thing, "one")
    two = step(Thing, "two", depends_on=[one])
    step(Thing, "three", depends_on=[one, two])

    assert implied_edges(step.stack) == {("one", "three")}
    assert step.stack.resources["three"].edges == (Edge("one"), Edge("two"))


@pytest.mark.parametrize(
    ("form", "start"),
    [("mermaid", "flowchart LR\n"), ("dot", 'digraph "prod" {\n'), ("svg", "<svg "), ("svg-graph", "<svg ")],
)
def test_graph_prints_it_without_a_call(user: User, monkeypatch: pytest.MonkeyPatch, form: str, start: str) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)

    ran = user.run("graph", "--format", form, "--suffix", "prod", "--set", "network.zones=2", local=False)

    assert ran.code == 0, ran.err
    assert ran.out.startswith(start)
    assert "public-2" in ran.out
    assert "public-3" not in ran.out


def test_for_a_program_it_is_what_a_plan_offline_tells(user: User) -> None:
    told = user.run("graph", "--suffix", "prod", "--json", local=False).out

    assert told == user.run("plan", "--offline", "--suffix", "prod", "--json", local=False).out


def test_the_process_needs_no_credentials_and_says_what_is_missing(user: User) -> None:
    ran = user.process("graph", "--suffix", "prod", "--format", "dot", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("}\n")

    ran = user.process("graph", "--set", "network.zones=99")
    assert (ran.code, ran.out) == (64, "")
    assert "--suffix" in ran.err


def _many(count: int) -> Stack:
    said = {f"s{n}": {"prefixes": [f"/s{n}/*"]} for n in range(count)}
    settings = load_settings(None, ["profile=production", f"api.services={json.dumps(said)}"], {})
    return build(settings, "prod", "us-east-1", offline_lookups(3, "15"))


def test_six_services_fit_what_mermaid_draws_and_more_are_told_what_to_use() -> None:
    arrows = [line for line in as_mermaid(_many(6)).splitlines() if "-->" in line or "==>" in line]

    assert len(arrows) <= 500
    with pytest.raises(UsageError) as caught:
        as_mermaid(_many(20))
    assert "svg-graph" in caught.value.hint
