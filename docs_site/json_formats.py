"""The reference of the JSON that is kept or printed, read from the dataclasses that it is made of."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

from docs_site.json_lines import LINES
from docs_site.markdown import code, escaped, table
from provisioner.commands.saved_plan import SavedPlan
from provisioner.engine.execution.teardown_verification import Remnant, VerificationReport
from provisioner.engine.runs.recorder import RecordedResource
from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Timeline
from provisioner.preflight.finding import Finding
from provisioner.resources.ecs.rollout_watch import RolloutStage
from provisioner.terminal.doctor import CheckLine
from provisioner.terminal.service_tables import Release
from state.lock_holder import LockHolder
from state.serialization import json_keys
from state.stack_state import Intent, PendingCommand, ResourceState, StackLocation, StackState, Tombstone
from state.state_store import StateVersion

# For each heading, the classes of a document: the document itself first, then its parts.
DOCUMENTS: dict[str, tuple[type[Any], ...]] = {
    "State file": (StackState, StackLocation, ResourceState, Intent, Tombstone, PendingCommand),
    "Lock": (LockHolder,),
    "Versions of a state (`state history`)": (StateVersion,),
    "Saved plan (`plan --out`)": (SavedPlan,),
    "Preflight finding (`plan --json`, `findings[]`)": (Finding,),
    "Run (`show --json`, run records)": (Run, RecordedResource),
    "Timeline (`timeline --json`)": (Timeline,),
    "Deployment (`deploy --json`)": (RolloutStage,),
    "Release (`releases --json`)": (Release,),
    "Check (`doctor --json`)": (CheckLine,),
    "Proof of a teardown (`teardown --json`, `verify-gone --json`)": (VerificationReport, Remnant),
}
_FIELD = re.compile(r"^    (\w+): ")
_COMMENT = re.compile(r"^    # (.*)$")


def json_page() -> str:
    """Return the page of all documents, a table of keys for each class."""
    parts = [
        "# JSON formats\n",
        "With `--json` (or `--output json`) a command prints JSON lines, each with a `type` and a `format_version`. "
        "The version changes when a field changes its meaning or goes; new fields may come at any time. "
        "`--query` prints a part of a line, in JMESPath.\n",
    ]
    for type_name, (commands, fields) in sorted(LINES.items()):
        rows = [(code(name), escaped(text)) for name, text in fields.items()]
        parts += [f"## {type_name}\n", f"Printed by {commands}.\n", table(("field", "what it is"), rows)]
    for heading, classes in DOCUMENTS.items():
        parts.append(f"## {heading}\n")
        parts += [_class(each, is_part=bool(number)) for number, each in enumerate(classes)]
    return "\n".join(parts)


def _class(dataclass_: type[Any], *, is_part: bool) -> str:
    """Return a class's summary and the table of its keys."""
    comments = _field_comments(dataclass_)
    keys = json_keys(dataclass_)
    fields = {str(each.metadata.get("json", each.name)): each for each in dataclasses.fields(dataclass_)}
    rows = [
        (code(key), code(_type_text(fields[key].type)), escaped(comments.get(fields[key].name, "")))
        for key in fields
        if key in keys
    ]
    summary = escaped(inspect.cleandoc(dataclass_.__doc__ or ""))
    title = f"### {dataclass_.__name__}\n\n" if is_part else ""
    return f"{title}{summary}\n\n{table(('key', 'type', 'what it is'), rows)}"


def _type_text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _field_comments(dataclass_: type[Any]) -> dict[str, str]:
    """Return the comment above each field of a class."""
    comments: dict[str, str] = {}
    pending: list[str] = []
    for line in inspect.getsource(dataclass_).splitlines():
        if comment := _COMMENT.match(line):
            pending.append(comment[1])
        else:
            if (field := _FIELD.match(line)) and pending:
                comments[field[1]] = " ".join(pending)
            pending = []
    return comments
