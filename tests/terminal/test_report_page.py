"""The page about a stack: whole in one file, readable by everybody, and open in a real browser."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from markupsafe import escape

from provisioner.engine.planning.drift import Drift, DriftCategory, DriftReport
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.runs.timeline import timeline_of
from provisioner.report.diagram import stack_diagram
from provisioner.report.resources import ReportResource
from provisioner.report.security_controls import check_controls
from provisioner.terminal.graph_svg import as_svg as graph_as_svg
from provisioner.terminal.page_templates import DARK, LIGHT
from provisioner.terminal.report.canvas import NARROW, WIDE, DiagramFormat
from provisioner.terminal.report.diagram_svg import as_svg
from provisioner.terminal.report.page import report_page
from provisioner.terminal.timeline_page import timeline_page
from tests.support.fake_resources import Thing
from tests.support.report_pages import ODD, long_run, sheet, things

SVG = "{http://www.w3.org/2000/svg}"
READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3
# What the domain of one's own would end; docs/explanation/security-model.md.
ACCEPTED = {"Viewers use TLS 1.2 or newer", "CloudFront speaks TLS to the load balancer"}


@pytest.fixture(scope="module")
def whole() -> dict[str, ReportResource]:
    """The production stack: one NAT gateway is missing, the database is at work, the service was changed."""
    return things("profile=production", **{"nat-1": "bad", "aurora": "busy", "service": "changed"})


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "srcset", "poster", "data", "background")]
        self.loads += [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_by_itself_and_escapes_what_it_tells(whole: dict[str, ReportResource]) -> None:
    text, seen = report_page(sheet(whole, warning=ODD)), Seen()
    seen.feed(text)

    assert (seen.open, seen.loads) == ([], [])
    assert not {"script", "link", "img", "iframe", "b"} & set(seen.tags)
    assert ODD not in text
    assert text.count(escape(ODD)) >= 6
    assert not re.search(r"url\(|@import|javascript:", text)
    assert "default-src 'none'" in text
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text


# What chooses words and colours, and is no text of a user or of AWS.
CHOSEN = {"status", "category", "result", "outcome", "is_stacked", "format"}


def hostile(value: Any) -> Any:
    """The same with `ODD` as every text in it: names, settings, tags, errors, what AWS answers."""
    if isinstance(value, str):
        return ODD
    if isinstance(value, tuple | list):
        return type(value)(hostile(each) for each in value)
    if isinstance(value, dict):
        return {hostile(key): hostile(each) for key, each in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    kept = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
    return replace(value, **{name: hostile(each) for name, each in kept.items() if name not in CHOSEN})


def hostile_graph() -> Stack:
    step = Stack(ODD, ODD).step(ODD)
    one = step(Thing, ODD)
    step(Thing, f"{ODD}2", depends_on=[one.ready(ODD)])
    return step.stack


@pytest.mark.parametrize(
    "made",
    [
        lambda: report_page(hostile(sheet(things("profile=production"), warning=ODD))),
        lambda: timeline_page(hostile(timeline_of(long_run(700.0, 9, "incomplete")))),
        lambda: as_svg(hostile(stack_diagram(things("profile=production"), ODD, ODD))),
        lambda: graph_as_svg(hostile_graph()),
    ],
    ids=["report", "timeline", "diagram", "graph"],
)
def test_hostile_texts_are_escaped_everywhere(made: Callable[[], str]) -> None:
    text, seen = made(), Seen()
    seen.feed(text)

    assert "onclick" in text
    assert (seen.open, seen.loads) == ([], [])
    assert "b" not in seen.tags
    assert ODD not in text


def test_the_page_tells_everything(whole: dict[str, ReportResource]) -> None:
    text = report_page(sheet(whole))

    for words in ("Diagram", "Outputs", "Health", "Drift", "Cost", "Security", "Runs", "Unhealthy"):
        assert words in text
    assert '<span>vpc/nat-1 <span class="pale">NatGateway</span></span>' in text
    assert '<span class="state bad">tg</span> 1 of 2 healthy' in text
    assert "44.20" in text.replace("\n", "")  # both charges together, at the least
    assert "user/ada" in text
    assert "incomplete" in text
    assert "not how it is now" not in text


@pytest.mark.parametrize("category", get_args(DriftCategory))
def test_every_category_of_drift_is_shown(category: DriftCategory) -> None:
    drift = Drift(category, "nat-1", "vpc", "NatGateway", "n", "nat-1", "apply leaves it", unmanaged="a route")

    text = report_page(sheet(things(), drift=DriftReport("prod", [drift])))

    ((status, label),) = re.findall(r'<span>vpc/nat-1</span><span class="state (\w+)">([^<]*)</span>', text)
    assert label.endswith(": a route")
    assert (status == "bad") == (category in ("gone", "failed"))


def test_a_phone_shows_the_name_of_the_gateway_whole(whole: dict[str, ReportResource]) -> None:
    assert ">egress via nat-1</text>" in as_svg(stack_diagram(whole, "prod", "us-east-1"), NARROW)


def test_where_aws_was_not_asked_nothing_is_called_well(whole: dict[str, ReportResource]) -> None:
    known = things(**dict.fromkeys(whole, "unknown"))

    text = report_page(sheet(known, drift=None, topics=(), warning="Expired.", runs=(), last_timeline=None))

    assert "Expired." in text
    assert "Not checked: AWS was not asked." in text
    assert "Everything is healthy" not in text
    assert "No run is recorded." in text


def test_what_protects_the_production_profile_holds_but_what_is_accepted(whole: dict[str, ReportResource]) -> None:
    assert {one.name for one in check_controls(whole) if one.violations} == ACCEPTED


def test_the_seed_says_what_it_leaves_open() -> None:
    open_ones = {one.name: one.violations for one in check_controls(things())}

    assert open_ones["A web ACL filters requests"] == ("no WebACL",)
    assert open_ones["Data is protected against deletion"] == ("aurora", "sessions")
    assert open_ones["Tasks have no public address"] == ()


@pytest.mark.parametrize("zones", [2, 3, 4])
@pytest.mark.parametrize("form", [WIDE, NARROW], ids=lambda form: form.name)
def test_no_box_lies_over_another_or_beyond_the_edge(form: DiagramFormat, zones: int) -> None:
    found = stack_diagram(things("profile=production", f"network.zones={zones}"), "prod", "us-east-1")
    root = ElementTree.fromstring(as_svg(found, form))

    boxes = [rect.attrib for rect in root.iter(f"{SVG}rect") if rect.get("class") == "box"]
    places = [tuple(float(one[key]) for key in ("x", "y", "width", "height")) for one in boxes]
    assert len(places) > 8
    assert all(x >= 0 and x + width <= form.width for x, _, width, _ in places)
    for (x, y, width, height), (a, b, wide, high) in itertools.combinations(places, 2):
        assert x + width <= a or a + wide <= x or y + height <= b or b + high <= y


def test_the_picture_says_where_each_thing_sits(whole: dict[str, ReportResource]) -> None:
    found = stack_diagram(whole, "prod", "us-east-1")

    assert [zone.name for zone in found.zones] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    nat, database = found.zones[0].public, found.zones[0].private
    assert nat
    assert database
    assert [(box.title, box.status) for box in nat.inside] == [("NAT gateway", "bad")]
    assert [box.title for box in database.inside] == ["Aurora writer"]
    assert database.box.lines == ("10.0.10.0/24", "egress via nat-1")
    assert [box.title for box in found.edge] == ["Firewall (WAF)", "CloudFront"]
    assert [box.title for box in found.across_private] == ["Service", "Aurora", "Endpoints"]
    assert {"DynamoDB", "Secret", "Bucket"} <= {box.title for box in found.outside_network}
    assert 0 < found.undrawn_count < len(whole)


def test_a_domain_services_and_readers_have_their_places() -> None:
    domain = ('domain.names=["api.example.com"]', "domain.hosted_zone_id=Z0123456789ABCDEFGHIJ")
    service = 'api.services={"embed":{"prefixes":["/embed"],"image":"mine.example/embed:2"}}'
    known = things("profile=production", *domain, service, "database.readers=1")
    found = stack_diagram(known, "prod", "us-east-1")

    assert [box.title for box in found.edge] == ["Certificate", "Firewall (WAF)", "CloudFront"]
    assert found.edge[-1].lines == ("api.example.com",)
    assert [box.title for box in found.across_private] == ["Service", "Service embed", "Aurora", "Endpoints"]
    assert "2 instances" in found.across_private[2].lines
    assert found.outside_network[0].title == "Certificate"


def test_the_legend_tells_only_of_what_is_drawn(whole: dict[str, ReportResource]) -> None:
    def legend(states: dict[str, ReportResource]) -> set[str]:
        told = as_svg(stack_diagram(states, "prod", "us-east-1"))
        words = ("as declared", "at work", "changed by hand", "missing or failed", "not asked")
        return {one for one in words if f">{one}<" in told}

    assert legend(whole) == {"as declared", "at work", "changed by hand", "missing or failed"}
    assert legend(things(**dict.fromkeys(whole, "unknown"))) == set()


def shade(colour: str) -> float:
    """Its relative luminance, as WCAG counts it."""
    digits = colour.lstrip("#")
    full = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_letters_can_be_read_on_every_ground(scheme: str) -> None:
    told = LIGHT if scheme == "light" else DARK

    for ink in ("ink", "pale", "good", "busy", "changed", "bad", "unknown", "link"):
        for ground in ("ground", "card", "box", "zone", "note"):
            one, other = sorted((shade(told[ink]), shade(told[ground])))
            assert (other + 0.05) / (one + 0.05) >= READABLE, (ink, ground)
