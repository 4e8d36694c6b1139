"""A plan, drift and a run as Markdown, for a pull request or the summary of a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from provisioner.engine.compare import Difference
from provisioner.engine.drift import Drift, Report
from provisioner.engine.past import Past
from provisioner.engine.plan import Plan
from provisioner.terminal.drift import other_lines
from provisioner.terminal.fields import lines
from provisioner.terminal.forecast import Forecast, forecast_lines
from provisioner.terminal.past import name_of, planned, took
from provisioner.terminal.plan import sentence, shown, why

# GitHub takes 65536 characters in a comment.
MOST = 60_000
# What colours a line of a diff: green, red, orange.
_SIGNS = {
    "create": "+",
    "delete": "-",
    "release": " ",
    "refuse": "!",
    "update": "!",
    "replace": "!",
    "finish": " ",
    "keep": " ",
}
_DRIFTS = {"altered": "!", "gone": "-", "failed": "!", "unknown": "!", "extra": "+", "held": " "}


def plan_markdown(plan: Plan, forecast: Forecast) -> str:
    """What would be done, what it costs and how long it takes."""
    head = [f"### Plan of `{plan.stack.suffix}`", f"**{sentence(plan)}**", *map(_plain, plan.notes)]
    if not shown(plan):
        return _whole(head, [])
    return _whole(head, _changes(plan), map(_plain, forecast_lines(forecast)))


def drift_markdown(report: Report, said: str) -> str:
    """What differs in AWS, and what an apply would do about it."""
    head = [f"### Drift of `{report.suffix}`", f"**{_plain(said)}**"]
    return _whole(head, _drifts(report.drifts), map(_plain, other_lines(report)))


def run_markdown(run: Past, outputs: Mapping[str, str]) -> str:
    """How a run went: its result, what failed and why, and the outputs."""
    failed = [f"- {part.piece}/{part.node}: {part.why}" for part in run.parts if part.end == "failed"]
    who = " as ".join(filter(None, (run.who, name_of(run.caller))))
    head = [
        f"### {run.command} of `{run.suffix}`: {run.result}",
        f"{planned(run.plan)} in {took(run.seconds)}, by {_plain(who)}",
    ]
    rows = [f"| `{name}` | `{value}` |" for name, value in outputs.items()]
    table = ["\n".join(("| output | value |", "|---|---|", *rows))] if rows else []
    return _whole([*head, *([_plain(run.message)] if run.message else [])], failed, table)


def _changes(plan: Plan) -> Iterator[str]:
    for change in shown(plan):
        reason = f"  ({why(change)})" if why(change) else ""
        what = f"{change.piece}/{change.node}: {change.kind} {change.name}".rstrip()
        yield f"{_SIGNS[change.verb]} {change.verb} {what}{reason}"
        yield from (f"      {line}" for line in lines(change.differences))
        yield from (f"-     {extra.what}  (added by hand)" for extra in change.extras)
        if change.loses:
            yield f"!     lost for good: {change.loses}"


def _drifts(drifts: Iterable[Drift]) -> Iterator[str]:
    for one in drifts:
        what = f"{one.piece}/{one.node}: {one.kind} {one.name}".rstrip()
        tail = f": {one.extra}" if one.extra else ""
        yield f"{_DRIFTS[one.what]} {one.what} {what}{tail}  ({one.remedy})"
        found = (Difference(field.path, field.ledger, field.aws) for field in one.fields)
        yield from (f"      {line}" for line in lines(found))


def _whole(head: Iterable[str], block: Iterable[str], tail: Iterable[str] = ()) -> str:
    """Paragraphs, a block that nothing in it can end, paragraphs; cut where it would be too long."""
    text, after = "\n".join(block), "\n\n".join(tail)
    before = "\n\n".join(head)
    room = MOST - len(before) - len(after)
    if len(text) > room:
        kept = text[:room].rpartition("\n")[0]
        text = f"{kept}\n… and {text.count(chr(10)) - kept.count(chr(10))} more lines"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    fenced = f"{fence}diff\n{text}\n{fence}" if text else ""
    return "\n\n".join(filter(None, (before, fenced, after))) + "\n"


def _plain(text: str) -> str:
    """Words that are no markup, whatever stands in them."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text.strip())
