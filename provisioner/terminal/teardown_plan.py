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
    held: list[BlockedDeletion],
) -> None:
    """Print what a teardown would delete, in waves, and what would be lost.

    If nothing is to be deleted, "No changes." stands in place of the summary and the forecast.

    Args:
        console: The console.
        suffix: The suffix of the stack.
        teardown: The planned deletions.
        notes: Sentences that are printed first.
        estimate: Cost and time of the teardown.
        held: The blockers that keep AWS from deleting some of the resources.

    """
    if console.as_json:
        blocking = [as_json(one) for one in held]
        console.record("plan", **_as_record(suffix, teardown, notes), held=blocking, **estimate.as_record())
        return
    for note in notes:
        console.data(note)
    _show_waves(console, teardown)
    _show_words(console, "Left standing:", "=", [one.retention_reason for one in teardown.deletions])
    show_losses(console, [one.data_loss for one in teardown.deletions])
    _show_held(console, held)
    count = sum(not one.retention_reason for one in teardown.deletions)
    console.data(f"Plan: 0 to add, 0 to change, {count} to destroy." if count else "No changes.")
    if count:
        show_estimate(console, estimate)


def _show_waves(console: Console, teardown: TeardownPlan) -> None:
    """Print the resources of each wave that are deleted; a wave waits for the wave before."""
    for number, wave in enumerate(teardown.waves, start=1):
        console.data(f"Wave {number}{', at once' if number == 1 else ''}:")
        for one in (one for one in wave if not one.retention_reason):
            console.data(f"  {console.paint('-', 'red')} {one.step}/{one.logical_id}: {_what(one)}")


def show_losses(console: Console, told: list[str]) -> None:
    """Print the data that is lost for good, one line for each entry that is not empty."""
    _show_words(console, "Lost for good:", "!", told)


def _show_words(console: Console, head: str, sign: str, told: list[str]) -> None:
    """Print the entries that are not empty under a heading; print nothing if there are none."""
    words = [one for one in told if one]
    if words:
        console.data(head)
    for one in words:
        console.data(f"  {console.paint(sign, 'red' if sign == '!' else 'dim')} {one}")


def _show_held(console: Console, held: list[BlockedDeletion]) -> None:
    """Print the blockers of deletions, and what to do about them."""
    if held:
        console.data("Held by what is not this stack's:")
    for one in held:
        console.data(f"  {console.paint('!', 'red')} {one}")
    for note in blocker_notes(held):
        console.data(f"    {note}")


def _what(one: PlannedDeletion) -> str:
    """Return the type and the name, or else the id, of a resource to be deleted."""
    return f"{one.type_name} {one.aws_name or one.id}"


def _as_record(suffix: str, teardown: TeardownPlan, notes: list[str]) -> dict[str, object]:
    """Return the plan of a teardown for the JSON output, in the form of the plan of an apply."""
    changes = [
        {"action": "delete", "wave": number, **as_json(one)}
        for number, wave in enumerate(teardown.waves, start=1)
        for one in wave
    ]
    gone = sum(not one.retention_reason for one in teardown.deletions)
    others = ("add", "change", "finish", "adopt", "release", "refused", "roles")
    summary = {**dict.fromkeys(others, 0), "destroy": gone}
    return {"suffix": suffix, "destroy": True, "notes": notes, "changes": changes, "summary": summary}
