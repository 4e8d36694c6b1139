"""Selection: the part of a plan chosen by `--target` and `--exclude`, with everything that it pulls along."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from provisioner.engine.aside import led
from provisioner.engine.graph import Stack
from provisioner.engine.plan import Plan
from provisioner.engine.refs import Ref
from provisioner.engine.twice import makes_two
from provisioner.errors import UsageError
from state.stack_state import StackState


@dataclass(frozen=True)
class Choice:
    """The addresses and steps to work on and to leave alone; both empty selects the whole plan."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


def narrowed(made: Plan, state: StackState, choice: Choice) -> Plan:
    """Return the part of a plan that was selected.

    Targets come with all that they need. Excluded resources are left out with all that would pull them along.
    """
    if not choice.targets and not choice.excludes:
        return made
    pulls = _pulls(made, state)
    targets, excluded = _meant(made, choice.targets), _meant(made, choice.excludes)
    wanted = _closed(targets, pulls) if choice.targets else set(made.changes)
    kept_out = _closed(excluded, _inverse(pulls))
    chosen = wanted - kept_out
    stack = made.stack
    part = Stack(
        stack.suffix,
        stack.region,
        stack.tags,
        {name: resource for name, resource in stack.resources.items() if name in chosen},
        stack.outputs,
        stack.marker,
    )
    return replace(
        made,
        stack=part,
        changes={name: change for name, change in made.changes.items() if name in chosen},
        docs={name: doc for name, doc in made.docs.items() if name in chosen},
        notes=[*made.notes, *_told(made, choice, (targets, excluded), (wanted, kept_out))],
        takes={name: names for name, names in made.takes.items() if name in chosen},
        early={name: names for name, names in made.early.items() if name in chosen},
        whole=made,
    )


def begun(made: Plan, part: Plan) -> Plan:
    """Return the part of a plan, with the stack's marker where two runs could otherwise create duplicates.

    The marker and what it needs are added where the marker does not exist yet and the part creates resources
    that AWS would create a second time.
    """
    stack, marker = made.stack, made.stack.marker
    if not marker or marker in made.docs or marker in part.changes or not makes_two(part):
        return part
    before = stack.resources.keys() - stack.created_after_marker()
    resources = {
        name: resource for name, resource in stack.resources.items() if name in before or name in part.stack.resources
    }
    changes = {name: one for name, one in made.changes.items() if name in before or name in part.changes}
    docs = {name: doc for name, doc in made.docs.items() if name in resources}
    note = f"The stack begins with {', '.join(sorted(before))}: it is how another run sees this one."
    notes = [*part.notes, note]
    return replace(part, stack=replace(part.stack, resources=resources), changes=changes, docs=docs, notes=notes)


def _pulls(made: Plan, state: StackState) -> dict[str, set[str]]:
    """Return, by resource, the names that have to come along when it is selected.

    A declared resource pulls along all that it needs, and the undeclared resources whose place it takes. A
    replacement pulls along each changing resource that needs it. A deletion pulls along each resource that
    needs it by the state. A resource that will route traffic to a destination without any so far pulls along
    the changing resources that need this destination, as they are to serve there.
    """
    resources = made.stack.resources
    pulls: dict[str, set[str]] = {name: set() for name in made.changes}
    for name in made.changes:
        if name in resources:
            pulls[name] |= made.takes.get(name, set())
            for need in resources[name].depends_on:
                pulls[name].add(need)
                if made.changes[need].verb == "replace" and made.changes[name].verb != "keep":
                    pulls[need].add(name)
        resource_state = state.resources.get(name)
        for need in resource_state.depends_on if resource_state else []:
            if need in pulls and need not in resources:
                pulls[need].add(name)
    for leader, to in _newly_led(made):
        serving = {name for name, resource in resources.items() if to in resource.depends_on}
        pulls[leader] |= {name for name in serving & pulls.keys() if made.changes[name].verb != "keep"}
    return pulls


def _newly_led(made: Plan) -> Iterator[tuple[str, str]]:
    """Yield each changing resource that will route to a destination without traffic, and that destination.

    Nothing is yielded where the stack serves no traffic yet.
    """
    served = set(led(made, {}))
    for leader, resource in made.stack.resources.items() if served else ():
        if made.changes[leader].verb != "keep":
            for to in resource.type.routes_to(dict(resource.props)):
                if isinstance(to, Ref) and made.docs.get(to.logical_id, {}).get("id") not in served:
                    yield leader, to.logical_id


def _meant(made: Plan, words: Iterable[str]) -> set[str]:
    """Return the names that addresses and steps stand for; raise UsageError where one stands for none."""
    meant: set[str] = set()
    for word in words:
        found = {
            name for name, change in made.changes.items() if word in (name, change.piece, f"{change.piece}/{name}")
        }
        if not found:
            pieces = {change.piece for change in made.changes.values()}
            near = difflib.get_close_matches(word, [*pieces, *made.changes], n=1, cutoff=0.5)
            hint = f"Did you mean `{near[0]}`?" if near else f"There are the pieces {', '.join(sorted(pieces))}."
            raise UsageError(f"There is no resource and no piece {word}.", hint)
        meant |= found
    return meant


def _closed(names: Iterable[str], pulls: Mapping[str, set[str]]) -> set[str]:
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
    inverse: dict[str, set[str]] = {name: set() for name in pulls}
    for name, others in pulls.items():
        for other in others:
            inverse[other].add(name)
    return inverse


def _told(made: Plan, choice: Choice, meant: tuple[set[str], set[str]], pulled: tuple[set[str], set[str]]) -> list[str]:
    """Return one sentence for the targets and one for the excludes: what was chosen and what came along."""
    told = []
    for words, names, all_, verb in (
        (choice.targets, meant[0], pulled[0], "Only"),
        (choice.excludes, meant[1], pulled[1], "Without"),
    ):
        if words:
            along = [name for name in made.changes if name in all_ - names]
            with_it = f"; it pulls along {', '.join(along)}" if along else ""
            told.append(f"{verb} {', '.join(words)} ({len(all_)} of {len(made.changes)} resources){with_it}.")
    return told
