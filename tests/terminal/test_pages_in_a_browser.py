"""Every page and picture in a real browser: on a phone, on a wide screen, in both schemes, and on paper."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioner.engine.runs.timeline import timeline_of
from provisioner.report.diagram import stack_diagram
from provisioner.report.resources import resources_from_graph
from provisioner.terminal.graph_svg import as_svg as graph_as_svg
from provisioner.terminal.report.diagram_svg import as_svg as diagram_as_svg
from provisioner.terminal.report.page import report_page
from provisioner.terminal.timeline_page import timeline_page
from tests.engine.test_graph import built
from tests.support.browser import PAPER_WIDTH, Browser, browser, needs_browser
from tests.support.report_pages import long_run, sheet, things

pytestmark = needs_browser
MEASURE = (Path(__file__).parents[1] / "support" / "page_measure.js").read_text()
VIEWS = [(390, "screen"), (1400, "screen"), (PAPER_WIDTH, "print")]
SERVICES = {f"embedding-of-pictures-{n}": {"prefixes": [f"/s{n}"], "image": "mine.example/embed:2"} for n in range(30)}
STATUSES = {"nat-1": "bad", "aurora": "busy", "service": "changed", "vpc": "unknown"}


def report(*settings: str) -> str:
    return report_page(sheet(things("profile=production", *settings, **STATUSES)))


PAGES: dict[str, Callable[[], str]] = {
    "report": report,
    "report of 30 services": lambda: report(f"api.services={json.dumps(SERVICES)}", "network.zones=4"),
    "report without an answer": lambda: report_page(
        sheet(things(), drift=None, topics=(), warning="Credentials have expired. " * 3, runs=(), last_timeline=None)
    ),
    "timeline of 2 s": lambda: timeline_page(timeline_of(long_run(2.3, 3))),
    "timeline of 40 min": lambda: timeline_page(timeline_of(long_run(2412.0, 75))),
    "timeline of a killed run": lambda: timeline_page(timeline_of(long_run(97.0, 12, result="running"))),
    "timeline of a failed run": lambda: timeline_page(timeline_of(long_run(700.0, 30, result="incomplete"))),
    "timeline of nothing": lambda: timeline_page(timeline_of(long_run(0.0, 0))),
}
PICTURES: dict[str, Callable[[], str]] = {
    "diagram": lambda: diagram_as_svg(stack_diagram(resources_from_graph(built()), "prod", "us-east-1")),
    "graph": lambda: graph_as_svg(built("profile=production")),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


def faults(chromium: Browser, file: Path, width: int, media: str, scheme: str) -> dict[str, object]:
    """What is wrong with a page in this view; {} if nothing is."""
    chromium.view(width=width, media=media, scheme=scheme)
    found = chromium.evaluate(MEASURE)
    if folder := os.environ.get("SCREENSHOTS"):
        chromium.screenshot(Path(folder) / f"{file.stem}-{width}-{media}-{scheme}.png")
    assert found.pop("texts") > 5
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_everywhere(chromium: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name.replace(' ', '-')}.html"
    file.write_text(PAGES[name]())
    chromium.load(file)

    for width, media in VIEWS:
        for scheme in ("light", "dark"):
            assert faults(chromium, file, width, media, scheme) == {}, (width, media, scheme)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_read(chromium: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.html"
    file.write_text(f"<!doctype html><body style='margin:0;width:max-content'>{PICTURES[name]()}")
    chromium.load(file)

    for scheme in ("light", "dark"):
        assert faults(chromium, file, 4000, "screen", scheme) == {}, scheme
