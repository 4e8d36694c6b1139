"""Selection: the part of a plan chosen by `--target` and `--exclude`, with everything that it pulls along."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from provisioner.engine.execution.replacement import serving_ids
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import Ref
from provisioner.engine.run_marker.watch import creates_duplicates
from provisioner.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """The addresses and steps to work on and to leave alone; both empty selects the whole plan."""

    targets: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def select(plan: Plan, selection: Selection) -> Plan:
    """Return the part of a plan that was selected.

    Targets come with all that they need. Excluded resources are left out with all that would pull them along.
    """
    if not selection.targets and not selection.excluded:
        return plan
    pulls = _companions(plan)
    targets, excluded = _match_words(plan, selection.targets), _match_words(plan, selection.excluded)
    included = _transitive(targets, pulls) if selection.targets else set(plan.changes)
    left_out = _transitive(excluded, _inverse(pulls))
    chosen = included - left_out
    stack = plan.stack
    part = Stack(
        stack.suffix,
        stack.region,
        stack.tags,
        {name: resource for name, resource in stack.resources.items() if name in chosen},
        stack.outputs,
        stack.marker,
    )
    return replace(
        plan,
        stack=part,
        changes={name: change for name, change in plan.changes.items() if name in chosen},
        actual={name: properties for name, properties in plan.actual.items() if name in chosen},
        notes=[*plan.notes, *_selection_notes(plan, selection, (targets, excluded), (included, left_out))],
        delete_before={name: names for name, names in plan.delete_before.items() if name in chosen},
        delete_first={name: names for name, names in plan.delete_first.items() if name in chosen},
        unfiltered=plan,
    )


def with_marker(plan: Plan, selected: Plan) -> Plan:
    """Return the part of a plan, with the stack's marker where two runs could otherwise create duplicates.

    The marker and what it needs are added where the marker does not exist yet and the part creates resources
    that AWS would create a second time.
    """
    stack, marker = plan.stack, plan.stack.marker
    if not marker or marker in plan.actual or marker in selected.changes or not creates_duplicates(selected):
        return selected
    before = stack.resources.keys() - stack.created_after_marker()
    resources = {
        name: resource
        for name, resource in stack.resources.items()
        if name in before or name in selected.stack.resources
    }
    changes = {name: change for name, change in plan.changes.items() if name in before or name in selected.changes}
    actual = {name: properties for name, properties in plan.actual.items() if name in resources}
    note = f"The stack begins with {', '.join(sorted(before))}: it is how another run sees this one."
    notes = [*selected.notes, note]
    return replace(
        selected, stack=replace(selected.stack, resources=resources), changes=changes, actual=actual, notes=notes
    )


def _companions(plan: Plan) -> dict[str, set[str]]:
    """Return, by resource, the names that have to come along when it is selected.

    A declared resource pulls along all that it needs, and the undeclared resources whose place it takes. A
    replacement pulls along each changing resource that needs it. A deletion pulls along each resource that
    needs it by the state. A resource that will route traffic to a destination without any so far pulls along
    the changing resources that need this destination, as they are to serve there.
    """
    resources = plan.stack.resources
    pulls: dict[str, set[str]] = {name: set() for name in plan.changes}
    for name in plan.changes:
        if name in resources:
            pulls[name] |= plan.delete_before.get(name, set())
            for need in resources[name].depends_on:
                pulls[name].add(need)
                if plan.changes[need].action == "replace" and plan.changes[name].action != "keep":
                    pulls[need].add(name)
        resource_state = plan.state.resources.get(name)
        for need in resource_state.depends_on if resource_state else []:
            if need in pulls and need not in resources:
                pulls[need].add(name)
    for router, destination in _newly_served(plan):
        serving = {name for name, resource in resources.items() if destination in resource.depends_on}
        pulls[router] |= {name for name in serving & pulls.keys() if plan.changes[name].action != "keep"}
    return pulls


def _newly_served(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each changing resource that will route to a destination without traffic, and that destination.

    Nothing is yielded where the stack serves no traffic yet.
    """
    serving = set(serving_ids(plan, {}))
    for router, resource in plan.stack.resources.items() if serving else ():
        if plan.changes[router].action != "keep":
            for destination in resource.type.routes_to(dict(resource.props)):
                if (
                    isinstance(destination, Ref)
                    and plan.actual.get(destination.logical_id, {}).get("id") not in serving
                ):
                    yield router, destination.logical_id


def _match_words(plan: Plan, words: Iterable[str]) -> set[str]:
    """Return the names that addresses and steps stand for; raise UsageError where one stands for none."""
    matching: set[str] = set()
    for word in words:
        names = {name for name, change in plan.changes.items() if word in (name, change.step, f"{change.step}/{name}")}
        if not names:
            steps = {change.step for change in plan.changes.values()}
            similar = difflib.get_close_matches(word, [*steps, *plan.changes], n=1, cutoff=0.5)
            hint = f"Did you mean `{similar[0]}`?" if similar else f"The steps are {', '.join(sorted(steps))}."
            raise UsageError(f"There is no resource and no step {word}.", hint)
        matching |= names
    return matching


def _transitive(names: Iterable[str], pulls: Mapping[str, set[str]]) -> set[str]:
    """Return the names with all that they pull along, directly or through others."""
    closed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in closed:
            closed.add(name)
            waiting += pulls[name]
    return closed


def _inverse(pulls: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return, by name, the names that pull it along."""
    inverse: dict[str, set[str]] = {name: set() for name in pulls}
    for name, others in pulls.items():
        for other in others:
            inverse[other].add(name)
    return inverse


def _selection_notes(
    plan: Plan, selection: Selection, named: tuple[set[str], set[str]], pulled: tuple[set[str], set[str]]
) -> list[str]:
    """Return one sentence for the targets and one for the excludes: what was chosen and what came along.

    `named` and `pulled` hold, for the targets and for the excludes, the names that the words stand for, and these
    with all that they pull along.
    """
    notes = []
    for preposition, words, names, all_names in (
        ("Only", selection.targets, named[0], pulled[0]),
        ("Without", selection.excluded, named[1], pulled[1]),
    ):
        if words:
            companions = [name for name in plan.changes if name in all_names - names]
            addition = f"; it pulls along {', '.join(companions)}" if companions else ""
            count = f"{len(all_names)} of {len(plan.changes)} resources"
            notes.append(f"{preposition} {', '.join(words)} ({count}){addition}.")
    return notes
