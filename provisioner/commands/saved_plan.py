"""A plan in a file: what was shown and all that it was made from, so that exactly that can be applied."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from provisioner import __version__
from provisioner.configuration import read_set_option
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.selection import Selection
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.errors import Blocked, UsageError
from provisioner.names import PROGRAM
from provisioner.session import Session
from provisioner.settings import Settings
from provisioner.settings.variables import replace_sensitive_values, sensitive_values
from state.errors import StateError
from state.fingerprints import fingerprint_of
from state.serialization import as_json, fields_from_json, json_keys
from state.state_store import FileStateStore

FORMAT = 2
_PLAN_AGAIN = f"Make it again: `{PROGRAM} plan --suffix NAME --out FILE`."


@dataclass(frozen=True)
class SavedPlan:
    """The inputs and decisions of one plan; values that may be secret are held as salted hashes."""

    tool: str
    made: str
    suffix: str
    place: dict[str, str]
    config: str | None
    sets: list[str]
    take: list[str]
    targets: list[str]
    excludes: list[str]
    settings: dict[str, Any]
    salt: str
    lineage: str
    serial: int
    facts: dict[str, Any]
    changes: dict[str, Any]

    @property
    def selection(self) -> Selection:
        """The selection of resources that the plan is about."""
        return Selection(tuple(self.targets), tuple(self.excludes))

    def save(self, path: Path) -> None:
        """Write the plan to a file of mode 0600.

        Raises:
            UsageError: The file cannot be written.

        """
        body = as_json(self)
        text = json.dumps({"format_version": FORMAT, "digest": digest_of(body), **body}, indent=1)
        try:
            FileStateStore(path).save(text.encode() + b"\n")
        except StateError as error:
            why = getattr(error.__cause__, "strerror", None) or error.message
            raise UsageError(f"The plan cannot be written to {path}: {why}.", "Choose another file.") from error

    @classmethod
    def load(cls, path: Path) -> SavedPlan:
        """Return the plan in a file.

        Raises:
            UsageError: The file cannot be read, or is damaged.
            Blocked: Another version of this tool has made the plan.

        """
        try:
            content = json.loads(path.read_bytes())
            version, saved_digest = content.pop("format_version"), content.pop("digest")
        except OSError as error:
            raise UsageError(f"The plan {path} cannot be read: {error.strerror or error}.", _PLAN_AGAIN) from error
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise UsageError(f"{path} is no plan of this tool, or it is damaged.", _PLAN_AGAIN) from error
        if version != FORMAT or content.get("tool") != __version__:
            raise Blocked(
                f"{path} was made by version {content.get('tool')} (format {version}); this is {__version__} "
                f"(format {FORMAT}), which may decide otherwise.",
                _PLAN_AGAIN,
            )
        if saved_digest != digest_of(content) or content.keys() != json_keys(cls):
            raise UsageError(f"{path} is damaged: it was changed after it was written.", _PLAN_AGAIN)
        return cls(**fields_from_json(cls, content))


def save_plan(session: Session, plan: Plan, selection: Selection, config: Path | None) -> SavedPlan:
    """Return the saved form of a plan that was just made."""
    state = session.state
    return SavedPlan(
        tool=__version__,
        made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        suffix=session.suffix,
        place=as_json(session.location),
        config=str(config.resolve()) if config else None,
        sets=[assignment for assignment in session.sets if not holds_variables(assignment)],
        take=sorted(session.released),
        targets=list(selection.targets),
        excludes=list(selection.excluded),
        settings=fingerprinted_settings(session.settings, state.salt),
        salt=state.salt,
        lineage=state.lineage if session.is_known else "",
        serial=state.serial,
        facts=plan.state.lookups,
        changes=change_outline(plan.changes, state.salt),
    )


def holds_variables(assignment: str) -> bool:
    """Return whether a `--set` gives environment variables of a container, which no saved plan keeps."""
    setting = read_set_option(assignment)
    return any(sensitive_values(setting.path, setting.value).values())


def fingerprinted_settings(settings: Settings, salt: str) -> dict[str, Any]:
    """Return each setting by its path; of one that may hold a secret, only a salted fingerprint."""
    values: dict[str, Any] = {}
    for name, value in settings.model_dump(mode="json").items():
        fields = value.items() if isinstance(value, Mapping) else None
        values |= {f"{name}.{key}": field_value for key, field_value in fields} if fields is not None else {name: value}
    return {
        path: replace_sensitive_values(path, value, partial(fingerprint_of, salt)) for path, value in values.items()
    }


def change_outline(changes: Mapping[str, Change], salt: str) -> dict[str, Any]:
    """Return what a plan does to each resource, as far as that must be the same when it is applied."""
    return {logical_id: _outline_change(change, salt) for logical_id, change in changes.items()}


def _outline_change(change: Change, salt: str) -> dict[str, Any]:
    """Return what a plan does to one resource, with hashes in place of values."""
    return {
        "address": f"{change.step}/{change.logical_id}",
        "action": change.action,
        "id": change.id,
        "adopts": change.adopts,
        "fields": {
            difference.path: digest_of([to_recorded(difference.old, salt), to_recorded(difference.new, salt)])
            for difference in change.differences
        },
        "removes": [child.description for child in change.unmanaged],
    }


def digest_of(value: Any) -> str:
    """Return a hash of a value that is compared but not kept."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
