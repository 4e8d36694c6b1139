"""The HTML page of the report: one file without scripts and external files, which fits a phone too."""

from __future__ import annotations

from html import escape

from provisioner.terminal.report.canvas import NARROW, WIDE
from provisioner.terminal.report.drawing import as_svg
from provisioner.terminal.report.model import Sheet
from provisioner.terminal.report.runs import runs
from provisioner.terminal.report.sections import cost, drift, health, marked, outputs, posture, section
from provisioner.terminal.report.style import PAGE, STATES, colours

# The browser loads and runs nothing, whatever the page contains.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_WORDS = {
    "good": "All is well",
    "unknown": "Not known",
    "busy": "At work",
    "changed": "Changed by hand",
    "bad": "Not well",
}


def page(sheet: Sheet) -> str:
    """Return the HTML page of the report."""
    title = f"ml-api stack {sheet.suffix}"
    picture = as_svg(sheet.map, WIDE, alone=False) + as_svg(sheet.map, NARROW, alone=False)
    parts = [
        _head(sheet, title),
        section("What sits where", picture),
        outputs(sheet.outputs),
        health(sheet),
        drift(sheet),
        cost(sheet.cost),
        posture(sheet.controls),
        runs(sheet.runs, sheet.last),
        *(f'<p class="pale small">{escape(note)}</p>' for note in sheet.notes),
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>{colours(":root")}{PAGE}{STATES}</style></head><body><div class="sheet">
{chr(10).join(parts)}
</div></body></html>
"""


def _head(sheet: Sheet, title: str) -> str:
    """Return the header of the page as HTML."""
    warning = f'<p class="warning" role="alert">{escape(sheet.warning)}</p>' if sheet.warning else ""
    figures = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _figures(sheet).items())
    return (
        f'<header><h1>{escape(title)}</h1><p class="pale">'
        f"{escape(sheet.where)}, as of {escape(sheet.written)}</p>"
        f'{warning}<dl class="figures">{figures}</dl></header>'
    )


def _figures(sheet: Sheet) -> dict[str, str]:
    """Return the key figures of the stack, by name, as HTML."""
    held = sum(not one.broken for one in sheet.controls)
    cost_now = sheet.cost.totals[0]
    drifted = (
        "not asked" if sheet.drift is None else _counted(sum(one.category != "held" for one in sheet.drift.drifts))
    )
    return {
        "Health": marked(sheet.state, _WORDS[sheet.state]),
        "Resources": str(len(sheet.health)),
        "Drift": escape(drifted),
        "Cost a month": f"${cost_now.least:.0f} to ${cost_now.most:.0f}",
        "Security": f"{held} of {len(sheet.controls)}",
        "Last run": escape(f"{sheet.runs[0].command}, {sheet.runs[0].result}") if sheet.runs else "none",
    }


def _counted(count: int) -> str:
    """Return the number of differences as text."""
    return f"{count} differ" if count else "none"
