"""The HTML page of the report: one file without scripts and external files, which fits a phone too."""

from __future__ import annotations

from html import escape

from provisioner.terminal.report.canvas import NARROW, WIDE
from provisioner.terminal.report.contents import ReportContents
from provisioner.terminal.report.diagram_svg import as_svg
from provisioner.terminal.report.runs import runs_section
from provisioner.terminal.report.sections import (
    colored_status,
    controls_section,
    cost_section,
    drift_section,
    health_section,
    outputs_section,
    section,
)
from provisioner.terminal.report.style import PAGE_CSS, STATUS_CSS, color_variables

# The browser loads and runs nothing, whatever the page contains.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STATUS_LABELS = {
    "good": "Everything is healthy",
    "unknown": "Not known",
    "busy": "In progress",
    "changed": "Changed by hand",
    "bad": "Unhealthy",
}


def report_page(contents: ReportContents) -> str:
    """Return the HTML page of the report."""
    title = f"ml-api stack {contents.suffix}"
    diagram = as_svg(contents.diagram, WIDE, is_standalone=False) + as_svg(
        contents.diagram, NARROW, is_standalone=False
    )
    parts = [
        _page_header(contents, title),
        section("Diagram", diagram),
        outputs_section(contents.outputs),
        health_section(contents),
        drift_section(contents),
        cost_section(contents.cost),
        controls_section(contents.controls),
        runs_section(contents.runs, contents.last_timeline),
        *(f'<p class="pale small">{escape(note)}</p>' for note in contents.notes),
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>{color_variables(":root")}{PAGE_CSS}{STATUS_CSS}</style></head><body><div class="sheet">
{chr(10).join(parts)}
</div></body></html>
"""


def _page_header(contents: ReportContents, title: str) -> str:
    """Return the header of the page as HTML."""
    warning = f'<p class="warning" role="alert">{escape(contents.warning)}</p>' if contents.warning else ""
    figures = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _key_figures(contents).items())
    return (
        f'<header><h1>{escape(title)}</h1><p class="pale">'
        f"{escape(contents.location)}, as of {escape(contents.written_at)}</p>"
        f'{warning}<dl class="figures">{figures}</dl></header>'
    )


def _key_figures(contents: ReportContents) -> dict[str, str]:
    """Return the key figures of the stack, by name, as HTML."""
    met_controls = sum(not control.violations for control in contents.controls)
    cost_now = contents.cost.totals[0]
    drifted = "not asked"
    if contents.drift is not None:
        drifted = _describe_drift_count(sum(drift.category != "held" for drift in contents.drift.drifts))
    return {
        "Health": colored_status(contents.status, _STATUS_LABELS[contents.status]),
        "Resources": str(len(contents.health)),
        "Drift": escape(drifted),
        "Cost a month": f"${cost_now.least:.0f} to ${cost_now.most:.0f}",
        "Security": f"{met_controls} of {len(contents.controls)}",
        "Last run": escape(f"{contents.runs[0].command}, {contents.runs[0].result}") if contents.runs else "none",
    }


def _describe_drift_count(count: int) -> str:
    """Return the number of differences as text."""
    return f"{count} differ" if count else "none"
