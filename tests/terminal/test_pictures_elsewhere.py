"""Pictures look in other programs as in a browser: drawn by librsvg and WeasyPrint, told by their pixels."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner.report.diagram import stack_diagram
from provisioner.terminal.graph_svg import as_svg as as_graph
from provisioner.terminal.report.diagram_svg import as_svg
from provisioner.terminal.report.page import report_page
from tests.engine.test_graph import built
from tests.support.report_pages import sheet, things

Image = pytest.importorskip("PIL.Image")
weasyprint = pytest.importorskip("weasyprint")
needs = {
    tool: pytest.mark.skipif(not shutil.which(tool), reason=f"there is no {tool} on this machine")
    for tool in ("rsvg-convert", "pdftoppm")
}
PICTURES = {
    "svg": lambda: as_svg(stack_diagram(things(), "prod", "us-east-1")),
    "svg-graph": lambda: as_graph(built()),
}
GROUND, GOOD = (255, 255, 255), (21, 112, 58)


def shares(png: bytes) -> dict[tuple[int, ...], float]:
    """The part of the picture that each colour takes."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    counted = image.getcolors(image.width * image.height)
    return {colour: count / (image.width * image.height) for count, colour in counted}


def printed(html: str, tmp_path: Path) -> bytes:
    """The first five pages that WeasyPrint makes of it, as one PNG each, put together."""
    file = tmp_path / "page.pdf"
    weasyprint.HTML(string=html).write_pdf(file)
    command = ["pdftoppm", "-png", "-r", "50", "-l", "5", str(file), str(tmp_path / "page")]
    subprocess.run(command, check=True, timeout=60)
    pages = [Image.open(one).convert("RGB") for one in sorted(tmp_path.glob("page*.png"))]
    whole = Image.new("RGB", (sum(one.width for one in pages), pages[0].height), GROUND)
    for at, one in enumerate(pages):
        whole.paste(one, (at * pages[0].width, 0))
    told = io.BytesIO()
    whole.save(told, "PNG")
    return told.getvalue()


def is_light(found: dict[tuple[int, ...], float]) -> bool:
    """Whether nearly all is light ground, and next to nothing black."""
    light = sum(share for colour, share in found.items() if min(colour) > 200)
    return light > 0.8 and found.get((0, 0, 0), 0) < 0.01


@needs["rsvg-convert"]
@pytest.mark.parametrize("form", PICTURES)
def test_librsvg_draws_a_picture_in_its_light_colours(form: str) -> None:
    drawn = subprocess.run(
        ["rsvg-convert"], input=PICTURES[form]().encode(), capture_output=True, check=True, timeout=60
    )

    assert is_light(shares(drawn.stdout))
    assert len(shares(drawn.stdout)) > 5


@needs["pdftoppm"]
@pytest.mark.parametrize("form", PICTURES)
def test_weasyprint_draws_a_picture_in_its_light_colours(form: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.svg"
    file.write_text(PICTURES[form]())

    assert is_light(shares(printed(f'<img src="{file.as_uri()}" style="width: 100%">', tmp_path)))


@needs["pdftoppm"]
def test_a_printed_report_has_a_picture_with_the_colours_of_its_states(tmp_path: Path) -> None:
    found = shares(printed(report_page(sheet(things())), tmp_path))

    assert is_light(found)
    assert found.get(GOOD, 0) > 0.0001


@pytest.mark.parametrize("form", PICTURES)
def test_no_colour_hangs_on_a_variable(form: str) -> None:
    assert "var(" not in PICTURES[form]()
