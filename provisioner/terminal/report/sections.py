"""The sections of the report: outputs, health, cost, drift, and security controls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from provisioner.engine.planning.drift import Drift
from provisioner.health.context import HealthLine, TopicHealth
from provisioner.prices.estimate import Cost, CostEstimate
from provisioner.terminal.differences import drift_line
from provisioner.terminal.report.contents import LINE_DISPLAY_STATUSES, Control, ReportContents, ResourceHealthRow

_DRIFT_LABELS = {
    "altered": "changed",
    "gone": "gone",
    "failed": "failed",
    "unknown": "in a state unknown to this version",
    "extra": "added by hand",
    "held": "managed by others",
}
# A drift of any other category is `changed`.
_DRIFT_DISPLAY_STATUSES = {"gone": "bad", "failed": "bad", "unknown": "unknown", "held": "unknown"}


def section(title: str, *parts: str) -> str:
    """Return a section with its title as HTML."""
    return f"<section><h2>{escape(title)}</h2>\n{chr(10).join(parts)}\n</section>"


def colored_status(status: str, text: str) -> str:
    """Return words as HTML in the colour of a status, with a dot before them."""
    return f'<span class="state {status}">{escape(text)}</span>'


def outputs_section(values: Mapping[str, str]) -> str:
    """Return the section about the outputs as HTML; values that are URLs are links."""
    if not values:
        return section("Outputs", '<p class="pale">None yet: no apply has succeeded.</p>')
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{_link_or_code(value)}</dd>" for name, value in values.items())
    return section("Outputs", f'<dl class="pairs">{rows}</dl>')


def _link_or_code(value: str) -> str:
    """Return a value as HTML: a link if it is a URL."""
    shown = f"<code>{escape(value)}</code>"
    return f'<a rel="noreferrer" href="{escape(value)}">{shown}</a>' if value.startswith("https://") else shown


def health_section(contents: ReportContents) -> str:
    """Return the section about health as HTML: the topics, then resources with a problem, then all others."""
    topics = f'<div class="topics">{"".join(map(_topic_block, contents.topics))}</div>' if contents.topics else ""
    unhealthy = [_health_item(row) for row in contents.health if row.status != "good"]
    healthy = [_health_item(row) for row in contents.health if row.status == "good"]
    first = (
        f"<ul>{''.join(unhealthy)}</ul>"
        if unhealthy
        else f"<p>{colored_status('good', 'All resources are as declared.')}</p>"
    )
    healthy_list = f'<ul class="columns">{"".join(healthy)}</ul>'
    healthy_details = f"<details><summary>{len(healthy)} are as declared</summary>{healthy_list}</details>"
    return section("Health", topics, first, healthy_details if healthy else "")


def _topic_block(topic: TopicHealth) -> str:
    """Return the lines of one topic as HTML."""
    lines = "".join(f"<li>{_topic_line(line)}</li>" for line in topic.lines)
    return f"<div><h3>{escape(topic.topic)}</h3><ul>{lines}</ul></div>"


def _topic_line(line: HealthLine) -> str:
    """Return one line of a topic as HTML."""
    status = LINE_DISPLAY_STATUSES[line.status]
    name = colored_status(status, line.name) if status else f'<span class="pale">{escape(line.name)}</span>'
    return f"{name} {escape(line.text)}"


def _health_item(row: ResourceHealthRow) -> str:
    """Return the health of one resource as HTML."""
    type_name = f' <span class="pale">{escape(row.type_name)}</span>' if row.type_name else ""
    return (
        f'<li class="row"><span>{escape(row.name)}{type_name}</span>{colored_status(row.status, row.status_text)}</li>'
    )


def cost_section(estimate: CostEstimate) -> str:
    """Return the section about the monthly cost of the existing resources as HTML."""
    bill = sorted(estimate.before.items(), key=lambda charge: -charge[1].least)
    rows = "".join(_charge_row(name, charge) for name, charge in bill)
    total = _charge_row("Together", estimate.totals[0], "sum")
    notes = [f"List prices of {estimate.region} as of {estimate.as_of}, 730 hours."]
    if estimate.by_use:
        notes.append(f"Not counted, as it depends on use: {', '.join(estimate.by_use)}.")
    if estimate.unpriced:
        notes.append(f"No price is known for {', '.join(estimate.unpriced)}.")
    heading = '<tr><th>US dollars a month</th><th class="n">at the least</th><th class="n">at the most</th></tr>'
    return section(
        "Cost", f"<table>{heading}{rows}{total}</table>", f'<p class="pale small">{escape(" ".join(notes))}</p>'
    )


def _charge_row(name: str, cost: Cost, css_class: str = "") -> str:
    """Return the row of one charge as HTML."""
    return (
        f'<tr class="{css_class}"><td>{escape(name)}</td><td class="n">{cost.least:.2f}</td>'
        f'<td class="n">{cost.most:.2f}</td></tr>'
    )


def drift_section(contents: ReportContents) -> str:
    """Return the section about drift as HTML."""
    if contents.drift is None:
        return section("Drift", '<p class="pale">Not checked: AWS was not asked.</p>')
    own = [_drift_item(drift) for drift in contents.drift.drifts if drift.category != "held"]
    external = [_drift_item(drift) for drift in contents.drift.drifts if drift.category == "held"]
    parts = [f"<ul>{''.join(own)}</ul>" if own else f"<p>{colored_status('good', 'No drift.')}</p>"]
    if external:
        parts.append(f'<p class="pale">Managed by others:</p><ul>{"".join(external)}</ul>')
    if contents.changes:
        parts.append(f'<p class="pale">What an apply would do now: {escape(contents.changes)}</p>')
    return section("Drift", *parts)


def _drift_item(drift: Drift) -> str:
    """Return the drift of one resource as HTML."""
    address = f"{drift.step}/{drift.logical_id}"
    label = f"{_DRIFT_LABELS[drift.category]}: {drift.unmanaged}" if drift.unmanaged else _DRIFT_LABELS[drift.category]
    status = _DRIFT_DISPLAY_STATUSES.get(drift.category, "changed")
    fields = "".join(f"<div><code>{escape(line)}</code></div>" for line in _field_lines(drift))
    head = f'<div class="row"><span>{escape(address)}</span>{colored_status(status, label)}</div>'
    return f'<li>{head}{fields}<div class="pale">{escape(drift.remedy)}</div></li>'


def _field_lines(drift: Drift) -> Iterator[str]:
    """Yield a line for each field that differs."""
    return map(drift_line, drift.fields)


def controls_section(controls: Iterable[Control]) -> str:
    """Return the section about security as HTML: first the controls that are not met, each with its setting."""
    all_controls = list(controls)
    violated = [control for control in all_controls if control.violations]
    met = [f'<li class="met">{escape(control.name)}</li>' for control in all_controls if not control.violations]
    violated_items = "".join(map(_violated_control, violated))
    count = f"<p>{len(met)} of {len(all_controls)} controls are met.</p>"
    return section(
        "Security",
        count,
        f"<ul>{violated_items}</ul>" if violated_items else "",
        f'<ul class="columns">{"".join(met)}</ul>',
    )


def _violated_control(control: Control) -> str:
    """Return a control that is not met as HTML, with the resources that violate it."""
    setting = f'<div class="pale">Setting: <code>{escape(control.setting)}</code></div>' if control.setting else ""
    violations = ", ".join(control.violations)
    return (
        f'<li><div class="row">{colored_status("busy", f"Not met: {control.name}")}'
        f'<span class="pale">{escape(violations)}</span></div>'
        f'<div class="pale">{escape(control.reason[:1].upper() + control.reason[1:])}.</div>{setting}</li>'
    )
