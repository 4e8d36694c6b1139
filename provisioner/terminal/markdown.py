"""A plan, drift or a run as Markdown, for a pull request or the summary of a GitHub job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from provisioner.engine.planning.drift import Drift, DriftReport
from provisioner.engine.planning.plan import Plan
from provisioner.engine.runs.run import Run
from provisioner.terminal.differences import drift_line, lines
from provisioner.terminal.drift import other_lines
from provisioner.terminal.estimate import PlanEstimate, estimate_lines
from provisioner.terminal.plan import sentence, shown, why
from provisioner.terminal.run import name_of, planned, took

# GitHub accepts 65536 characters in a comment.
MOST = 60_000
# The first character decides the colour of a line in a diff: + green, - red, ! orange.
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


def plan_markdown(plan: Plan, estimate: PlanEstimate) -> str:
    """Return a plan as Markdown: its changes, cost and time."""
    head = [f"### Plan of `{plan.stack.suffix}`", f"**{sentence(plan)}**", *map(_plain, plan.notes)]
    if not shown(plan):
        return _whole(head, [])
    return _whole(head, _changes(plan), map(_plain, estimate_lines(estimate)))


def drift_markdown(report: DriftReport, said: str) -> str:
    """Return drift as Markdown: the differences, and what `apply` would do about them.

    Args:
        report: The drift of the stack.
        said: The summary in one sentence.

    """
    head = [f"### Drift of `{report.suffix}`", f"**{_plain(said)}**"]
    return _whole(head, _drifts(report.drifts), map(_plain, other_lines(report)))


def run_markdown(run: Run, outputs: Mapping[str, str]) -> str:
    """Return a run as Markdown: its result, the resources that failed and why, and the outputs."""
    failed = [f"- {part.step}/{part.logical_id}: {part.reason}" for part in run.resources if part.outcome == "failed"]
    who = " as ".join(filter(None, (run.user, name_of(run.caller))))
    head = [
        f"### {run.command} of `{run.suffix}`: {run.result}",
        f"{planned(run.plan)} in {took(run.seconds)}, by {_plain(who)}",
    ]
    rows = [f"| `{name}` | `{value}` |" for name, value in outputs.items()]
    table = ["\n".join(("| output | value |", "|---|---|", *rows))] if rows else []
    return _whole([*head, *([_plain(run.message)] if run.message else [])], failed, table)


def _changes(plan: Plan) -> Iterator[str]:
    """Yield the lines of the changes of a plan, in the format of a diff."""
    for change in shown(plan):
        reason = f"  ({why(change)})" if why(change) else ""
        what = f"{change.step}/{change.logical_id}: {change.type_name} {change.aws_name}".rstrip()
        yield f"{_SIGNS[change.action]} {change.action} {what}{reason}"
        yield from (f"      {line}" for line in lines(change.differences))
        yield from (f"-     {extra.description}  (added by hand)" for extra in change.unmanaged)
        if change.data_loss:
            yield f"!     lost for good: {change.data_loss}"


def _drifts(drifts: Iterable[Drift]) -> Iterator[str]:
    """Yield the lines of the drifts, in the format of a diff."""
    for one in drifts:
        what = f"{one.step}/{one.logical_id}: {one.type_name} {one.aws_name}".rstrip()
        tail = f": {one.unmanaged}" if one.unmanaged else ""
        yield f"{_DRIFTS[one.category]} {one.category} {what}{tail}  ({one.remedy})"
        yield from (f"      {drift_line(field)}" for field in one.fields)


def _whole(head: Iterable[str], block: Iterable[str], tail: Iterable[str] = ()) -> str:
    """Return the page: paragraphs, a fenced block in the format of a diff, and paragraphs.

    A block that would make the page longer than GitHub accepts is cut. No text in the block can end it.

    Args:
        head: The paragraphs before the block.
        block: The lines of the block.
        tail: The paragraphs after the block.

    """
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
    """Return the text with all characters escaped that Markdown gives a meaning."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text.strip())
