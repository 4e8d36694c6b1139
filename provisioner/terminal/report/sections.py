"""The sections of the report: outputs, health, cost, drift, and protections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from provisioner.engine.planning.drift import Drift
from provisioner.health.context import HealthLine, TopicHealth
from provisioner.prices.estimate import Cost, CostEstimate
from provisioner.terminal.differences import drift_line
from provisioner.terminal.report.model import MARKS, Control, Health, Sheet

_DRIFTED = {
    "altered": "changed",
    "gone": "gone",
    "failed": "failed",
    "extra": "added by hand",
    "held": "left to",
}


def section(title: str, *parts: str) -> str:
    """Return a section with its title as HTML."""
    return f"<section><h2>{escape(title)}</h2>\n{chr(10).join(parts)}\n</section>"


def marked(state: str, words: str) -> str:
    """Return words as HTML in the colour of a status, with a dot before them."""
    return f'<span class="state {state}">{escape(words)}</span>'


def outputs(values: Mapping[str, str]) -> str:
    """Return the section about the outputs as HTML; values that are URLs are links."""
    if not values:
        return section("Outputs", '<p class="pale">None yet: no apply has ended well.</p>')
    told = "".join(f"<dt>{escape(name)}</dt><dd>{_linked(value)}</dd>" for name, value in values.items())
    return section("Outputs", f'<dl class="pairs">{told}</dl>')


def _linked(value: str) -> str:
    """Return a value as HTML: a link if it is a URL."""
    shown = f"<code>{escape(value)}</code>"
    return f'<a rel="noreferrer" href="{escape(value)}">{shown}</a>' if value.startswith("https://") else shown


def health(sheet: Sheet) -> str:
    """Return the section about health as HTML: the topics, then resources with a problem, then all others."""
    topics = f'<div class="topics">{"".join(map(_topic, sheet.parts))}</div>' if sheet.parts else ""
    told = [_health(one) for one in sheet.health if one.state != "good"]
    well = [_health(one) for one in sheet.health if one.state == "good"]
    first = f"<ul>{''.join(told)}</ul>" if told else f"<p>{marked('good', 'All resources are as wanted.')}</p>"
    listed = f'<ul class="columns">{"".join(well)}</ul>'
    more = f"<details><summary>{len(well)} are as wanted</summary>{listed}</details>"
    return section("Health", topics, first, more if well else "")


def _topic(part: TopicHealth) -> str:
    """Return the lines of one topic as HTML."""
    lines = "".join(f"<li>{_line(line)}</li>" for line in part.lines)
    return f"<div><h3>{escape(part.topic)}</h3><ul>{lines}</ul></div>"


def _line(line: HealthLine) -> str:
    """Return one line of a topic as HTML."""
    state = MARKS[line.status]
    name = marked(state, line.name) if state else f'<span class="pale">{escape(line.name)}</span>'
    return f"{name} {escape(line.text)}"


def _health(one: Health) -> str:
    """Return the health of one resource as HTML."""
    type_name = f' <span class="pale">{escape(one.kind)}</span>' if one.kind else ""
    return f'<li class="row"><span>{escape(one.what)}{type_name}</span>{marked(one.state, one.word)}</li>'


def cost(told: CostEstimate) -> str:
    """Return the section about the monthly cost of the existing resources as HTML."""
    bill = sorted(told.before.items(), key=lambda one: -one[1].least)
    rows = "".join(_charge(what, one) for what, one in bill)
    total = _charge("Together", told.totals[0], "sum")
    notes = [f"List prices of {told.region} as of {told.as_of}, 730 hours."]
    if told.by_use:
        notes.append(f"Not counted, as it depends on use: {', '.join(told.by_use)}.")
    if told.unpriced:
        notes.append(f"No price is known for {', '.join(told.unpriced)}.")
    head = '<tr><th>US dollars a month</th><th class="n">at the least</th><th class="n">at the most</th></tr>'
    return section(
        "Cost", f"<table>{head}{rows}{total}</table>", f'<p class="pale small">{escape(" ".join(notes))}</p>'
    )


def _charge(what: str, one: Cost, sort: str = "") -> str:
    """Return the row of one charge as HTML."""
    return (
        f'<tr class="{sort}"><td>{escape(what)}</td><td class="n">{one.least:.2f}</td>'
        f'<td class="n">{one.most:.2f}</td></tr>'
    )


def drift(sheet: Sheet) -> str:
    """Return the section about drift as HTML."""
    if sheet.drift is None:
        return section("Drift", '<p class="pale">Not looked for: AWS was not asked.</p>')
    ours = [_drift(one) for one in sheet.drift.drifts if one.category != "held"]
    theirs = [_drift(one) for one in sheet.drift.drifts if one.category == "held"]
    parts = [f"<ul>{''.join(ours)}</ul>" if ours else f"<p>{marked('good', 'No drift.')}</p>"]
    if theirs:
        parts.append(f'<p class="pale">Left to other owners:</p><ul>{"".join(theirs)}</ul>')
    if sheet.changes:
        parts.append(f'<p class="pale">What an apply would do now: {escape(sheet.changes)}</p>')
    return section("Drift", *parts)


def _drift(one: Drift) -> str:
    """Return the drift of one resource as HTML."""
    what = f"{one.step}/{one.logical_id}"
    words = f"{_DRIFTED[one.category]}: {one.unmanaged}" if one.unmanaged else _DRIFTED[one.category]
    state = {"held": "unknown", "gone": "bad", "failed": "bad"}.get(one.category, "changed")
    fields = "".join(f"<div><code>{escape(line)}</code></div>" for line in _fields(one))
    head = f'<div class="row"><span>{escape(what)}</span>{marked(state, words)}</div>'
    return f'<li>{head}{fields}<div class="pale">{escape(one.remedy)}</div></li>'


def _fields(one: Drift) -> Iterator[str]:
    """Yield a line for each field that differs."""
    return map(drift_line, one.fields)


def posture(controls: Iterable[Control]) -> str:
    """Return the section about the protections as HTML: the broken ones first, with the setting for each."""
    listed = list(controls)
    open_ones = [one for one in listed if one.broken]
    held = [f'<li class="held">{escape(one.what)}</li>' for one in listed if not one.broken]
    told = "".join(map(_open, open_ones))
    count = f"<p>{len(held)} of {len(listed)} controls hold.</p>"
    return section("Security", count, f"<ul>{told}</ul>" if told else "", f'<ul class="columns">{"".join(held)}</ul>')


def _open(one: Control) -> str:
    """Return one broken protection as HTML."""
    setting = f'<div class="pale">Setting: <code>{escape(one.setting)}</code></div>' if one.setting else ""
    where = ", ".join(one.broken)
    return (
        f'<li><div class="row">{marked("busy", f"Not held: {one.what}")}'
        f'<span class="pale">{escape(where)}</span></div>'
        f'<div class="pale">{escape(one.why[:1].upper() + one.why[1:])}.</div>{setting}</li>'
    )
