"""Output of the plan of a teardown, as text and as JSON."""

from __future__ import annotations

from provisioner.engine.planning.blocked_deletions import BlockedDeletion, blocker_notes
from provisioner.engine.planning.teardown_plan import PlannedDeletion, TeardownPlan
from provisioner.terminal.console import Console
from provisioner.terminal.estimate import PlanEstimate, show_estimate
from state.serialization import as_json


def print_teardown_plan(
    console: Console,
    suffix: str,
    teardown: TeardownPlan,
    notes: list[str],
    estimate: PlanEstimate,
    blocked_deletions: list[BlockedDeletion],
) -> None:
    """Print what a teardown would delete, in waves, and what would be lost.

    If nothing is to be deleted, "No changes." replaces the summary and the estimate.

    Args:
        console: The console.
        suffix: The suffix of the stack.
        teardown: The planned deletions.
        notes: Sentences that are printed first.
        estimate: Cost and time of the teardown.
        blocked_deletions: The blockers that keep AWS from deleting some of the resources.

    """
    if console.as_json:
        blocking = [as_json(blocked) for blocked in blocked_deletions]
        console.record("plan", **_teardown_json(suffix, teardown, notes), held=blocking, **estimate.to_json())
        return
    for note in notes:
        console.text(note)
    _show_waves(console, teardown)
    _show_entries(console, "Retained:", "=", [deletion.retention_reason for deletion in teardown.deletions])
    show_losses(console, [deletion.data_loss for deletion in teardown.deletions])
    _show_blocked(console, blocked_deletions)
    count = sum(not deletion.retention_reason for deletion in teardown.deletions)
    console.text(f"Plan: 0 to add, 0 to change, {count} to destroy." if count else "No changes.")
    if count:
        show_estimate(console, estimate)


def _show_waves(console: Console, teardown: TeardownPlan) -> None:
    """Print the resources of each wave that are deleted; a wave waits for the wave before."""
    for number, wave in enumerate(teardown.waves, start=1):
        console.text(f"Wave {number}{', at once' if number == 1 else ''}:")
        deleted = [deletion for deletion in wave if not deletion.retention_reason]
        for deletion in deleted:
            console.item(
                f"  {console.paint('-', 'red')} {deletion.step}/{deletion.logical_id}: {_describe_resource(deletion)}"
            )


def show_losses(console: Console, losses: list[str]) -> None:
    """Print the data that is lost for good, one line for each entry that is not empty."""
    _show_entries(console, "Lost for good:", "!", losses)


def _show_entries(console: Console, heading: str, sign: str, entries: list[str]) -> None:
    """Print the entries that are not empty under a heading; print nothing if there are none."""
    shown = [entry for entry in entries if entry]
    if shown:
        console.text(heading)
    for entry in shown:
        console.text(f"  {console.paint(sign, 'red' if sign == '!' else 'dim')} {entry}")


def _show_blocked(console: Console, blocked_deletions: list[BlockedDeletion]) -> None:
    """Print the blockers of deletions, and what to do about them."""
    if blocked_deletions:
        console.text("Blocked by resources outside this stack:")
    for blocked in blocked_deletions:
        console.text(f"  {console.paint('!', 'red')} {blocked}")
    for note in blocker_notes(blocked_deletions):
        console.text(f"    {note}")


def _describe_resource(deletion: PlannedDeletion) -> str:
    """Return the type and the name, or else the id, of a resource to be deleted."""
    return f"{deletion.type_name} {deletion.aws_name or deletion.id}"


def _teardown_json(suffix: str, teardown: TeardownPlan, notes: list[str]) -> dict[str, object]:
    """Return the plan of a teardown for the JSON output, in the form of the plan of an apply."""
    changes = [
        {"action": "delete", "wave": number, **as_json(deletion)}
        for number, wave in enumerate(teardown.waves, start=1)
        for deletion in wave
    ]
    deleted_count = sum(not deletion.retention_reason for deletion in teardown.deletions)
    other_counts = ("add", "change", "finish", "adopt", "release", "refused", "roles")
    summary = {**dict.fromkeys(other_counts, 0), "destroy": deleted_count}
    return {"suffix": suffix, "destroy": True, "notes": notes, "changes": changes, "summary": summary}
