"""Every page and picture in a real browser: on a phone, on a wide screen, in both schemes, and on paper."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

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
from tests.support.live_stack import LiveStack
from tests.support.report_pages import long_run, sheet, things
from tests.support.user import User

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


def assert_that_it_can_be_read(chromium: Browser, file: Path) -> None:
    """Look at a page in every view."""
    chromium.load(file)
    for width, media in VIEWS:
        for scheme in ("light", "dark"):
            assert faults(chromium, file, width, media, scheme) == {}, (file.name, width, media, scheme)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_everywhere(chromium: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name.replace(' ', '-')}.html"
    file.write_text(PAGES[name]())

    assert_that_it_can_be_read(chromium, file)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_read(chromium: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.html"
    file.write_text(f"<!doctype html><body style='margin:0;width:max-content'>{PICTURES[name]()}")
    chromium.load(file)

    for scheme in ("light", "dark"):
        assert faults(chromium, file, 4000, "screen", scheme) == {}, scheme


PLANTED = """<!doctype html><body style="margin:0;background:#fff;width:100%">
<p style="font-size:11px">tiny</p><p style="color:#999">grey</p><p style="white-space:nowrap">{0}</p>
<div style="position:relative;height:30px">
<b style="position:absolute">one</b><b style="position:absolute">two</b></div>
<div style="width:60px;overflow:hidden;white-space:nowrap" class="clipped">cut off here</div>
<svg width="300" height="60" viewBox="0 0 600 120"><rect width="600" height="120" fill="#333"/>
<text x="9" y="40" font-size="16" fill="#fff">halved</text>
<text x="9" y="90" font-size="40" fill="#444">dark</text></svg>
"""


def test_the_measure_finds_what_is_planted(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "planted.html"
    file.write_text(PLANTED.format("beyond " * 100))
    chromium.load(file)

    found = faults(chromium, file, 390, "screen", "light")

    assert found["small"] == ["11.0: tiny", "8.0: halved"]
    assert [str(text).rpartition(" ")[2] for text in cast("list[str]", found["pale"])] == ["grey", "dark"]
    assert found["over"] == ["one / two"]
    assert found["cut"] == ["clipped"]
    assert found["scrolls"]
    assert "beyond" in found


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="NOT READ: there is no pdftotext on this machine")
def test_what_is_folded_on_the_screen_is_on_paper(chromium: Browser, tmp_path: Path) -> None:
    file, paper = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(report())
    chromium.load(file)
    chromium.view(width=1400, media="", scheme="dark")

    paper.write_bytes(chromium.print_to_pdf())

    read = subprocess.run(["pdftotext", "-layout", str(paper), "-"], capture_output=True, text=True, check=True).stdout
    assert not chromium.evaluate("document.body.innerText.includes('vpc/igw')")
    assert "vpc/igw" in read
    assert "critical path" in read


TAGS = {"cost-center": "department of pictures / " * 6}
ASKED = ["--set", "profile=production", "--set", f"tags={json.dumps(TAGS)}"]
ASKED += ["--set", f"api.services={json.dumps(SERVICES)}"]


@pytest.fixture
def lived(user: User) -> User:
    """Someone whose first apply failed and was mended, and whose stack of 30 services was then changed by hand."""
    user.box.faults({"operation": "ecs:CreateService", "fault": "access_denied", "times": 999})
    assert user.run("apply", "--yes", "--skip-preflight", "--suffix", "prod", *ASKED).code != 0
    user.box.faults()
    user.well("apply", "--yes", "--skip-preflight", "--suffix", "prod", *ASKED)
    stack = LiveStack(user)
    stack.aws("ec2").authorize_security_group_ingress(
        GroupId=stack.group("sg-tasks"), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="203.0.113.7/32"
    )
    (gateway,) = stack.ec2("describe_nat_gateways", "NatGateways")
    stack.aws("ec2").delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    return user


@pytest.mark.slow
def test_pages_of_a_stack_that_has_seen_much_can_be_read(chromium: Browser, lived: User, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    lived.well("report", "--suffix", "prod", "--html", str(page), *ASKED)
    failed, mended = tmp_path / "failed.html", tmp_path / "mended.html"
    lived.well("timeline", "--suffix", "prod", "last~1", "--html", str(failed))
    lived.well("timeline", "--suffix", "prod", "--html", str(mended))

    assert "Unhealthy" in page.read_text()
    assert "Not done" in failed.read_text()
    for file in (page, failed, mended):
        assert_that_it_can_be_read(chromium, file)
