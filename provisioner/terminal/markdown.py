"""A plan, drift or a run as Markdown, for a pull request or the summary of a GitHub job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from provisioner.engine.planning.drift import Drift, DriftReport
from provisioner.engine.planning.plan import Plan
from provisioner.engine.runs.run import Run
from provisioner.terminal.differences import difference_lines, drift_line
from provisioner.terminal.drift import drift_notes
from provisioner.terminal.estimate import PlanEstimate, estimate_lines
from provisioner.terminal.plan import describe_reason, plan_sentence, shown_changes
from provisioner.terminal.run import caller_name, describe_counts, format_seconds

# GitHub accepts 65536 characters in a comment.
MAX_COMMENT_LENGTH = 60_000
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
_DRIFT_SIGNS = {"altered": "!", "gone": "-", "failed": "!", "unknown": "!", "extra": "+", "held": " "}


def plan_markdown(plan: Plan, estimate: PlanEstimate) -> str:
    """Return a plan as Markdown: its changes, cost and time."""
    head = [f"### Plan of `{plan.stack.suffix}`", f"**{plan_sentence(plan)}**", *map(_escape, plan.notes)]
    if not shown_changes(plan):
        return _page(head, [])
    return _page(head, _change_lines(plan), map(_escape, estimate_lines(estimate)))


def drift_markdown(report: DriftReport, summary: str) -> str:
    """Return drift as Markdown: the differences, and what `apply` would do about them.

    Args:
        report: The drift of the stack.
        summary: The summary in one sentence.

    """
    head = [f"### Drift of `{report.suffix}`", f"**{_escape(summary)}**"]
    return _page(head, _drift_lines(report.drifts), map(_escape, drift_notes(report)))


def run_markdown(run: Run, outputs: Mapping[str, str]) -> str:
    """Return a run as Markdown: its result, the resources that failed and why, and the outputs."""
    failed = [
        f"- {resource.step}/{resource.logical_id}: {resource.reason}"
        for resource in run.resources
        if resource.outcome == "failed"
    ]
    started_by = " as ".join(filter(None, (run.user, caller_name(run.caller))))
    head = [
        f"### {run.command} of `{run.suffix}`: {run.result}",
        f"{describe_counts(run.plan)} in {format_seconds(run.seconds)}, by {_escape(started_by)}",
    ]
    rows = [f"| `{name}` | `{value}` |" for name, value in outputs.items()]
    table = ["\n".join(("| output | value |", "|---|---|", *rows))] if rows else []
    return _page([*head, *([_escape(run.message)] if run.message else [])], failed, table)


def _change_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines of the changes of a plan, in the format of a diff."""
    for change in shown_changes(plan):
        reason = f"  ({describe_reason(change)})" if describe_reason(change) else ""
        resource = f"{change.step}/{change.logical_id}: {change.type_name} {change.aws_name}".rstrip()
        yield f"{_SIGNS[change.action]} {change.action} {resource}{reason}"
        yield from (f"      {line}" for line in difference_lines(change.differences))
        yield from (f"-     {unmanaged.description}  (added by hand)" for unmanaged in change.unmanaged)
        if change.data_loss:
            yield f"!     lost for good: {change.data_loss}"


def _drift_lines(drifts: Iterable[Drift]) -> Iterator[str]:
    """Yield the lines of the drifts, in the format of a diff."""
    for drift in drifts:
        resource = f"{drift.step}/{drift.logical_id}: {drift.type_name} {drift.aws_name}".rstrip()
        detail = f": {drift.unmanaged}" if drift.unmanaged else ""
        yield f"{_DRIFT_SIGNS[drift.category]} {drift.category} {resource}{detail}  ({drift.remedy})"
        yield from (f"      {drift_line(field)}" for field in drift.fields)


def _page(head: Iterable[str], block: Iterable[str], tail: Iterable[str] = ()) -> str:
    """Return the page: paragraphs, a fenced block in the format of a diff, and paragraphs.

    A block that would make the page longer than GitHub accepts is cut. No text in the block can end it.

    Args:
        head: The paragraphs before the block.
        block: The lines of the block.
        tail: The paragraphs after the block.

    """
    text, after_text = "\n".join(block), "\n\n".join(tail)
    before_text = "\n\n".join(head)
    room = MAX_COMMENT_LENGTH - len(before_text) - len(after_text)
    if len(text) > room:
        shown_text = text[:room].rpartition("\n")[0]
        text = f"{shown_text}\n… and {text.count(chr(10)) - shown_text.count(chr(10))} more lines"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    fenced = f"{fence}diff\n{text}\n{fence}" if text else ""
    return "\n\n".join(filter(None, (before_text, fenced, after_text))) + "\n"


def _escape(text: str) -> str:
    """Return the text with all characters escaped that Markdown gives a meaning."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text.strip())
