"""The state of one stack: its data classes, and the JSON file that it is written to and read from.

The file has one resource per line, so that `grep` and `diff` work on it by resource.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from state.errors import StateError
from state.fingerprints import new_salt
from state.migrations import NEWEST, OLDEST, migrate
from state.serialization import fields_from_json, json_fields, validate_types

SCHEMA = NEWEST
# The types (`account_wide`) of resources that all stacks of an account share: no stack counts them as its own.
ACCOUNT_WIDE_TYPES = frozenset({"ServiceLinkedRole"})

Phase = Literal["creating", "finishing", "ready", "updating", "deleting"]
JsonObject = dict[str, Any]


# The hint for a damaged state file.
_ADOPT_ALL_HINT = (
    "`python cli.py apply --suffix NAME --adopt-all`, with the stack's --region, puts it aside, finds every "
    "resource by its tags and names, and writes a new one."
)


@dataclass
class Intent:
    """A create, update or delete call that is about to be made.

    `action` is the action, `token` the client token that the call carries, `started_at` the wall-clock second.
    """

    action: str = field(metadata={"json": "verb"})
    token: str
    started_at: float = field(metadata={"json": "at"})


@dataclass
class ResourceState:
    """The state of one resource.

    `desired` holds the properties that were asked for last, `recorded` those that AWS is known to hold.
    """

    type_name: str = field(metadata={"json": "kind"})
    aws_name: str = field(metadata={"json": "name"})
    step: str = field(default="", metadata={"json": "piece"})
    region: str = ""
    phase: Phase = "creating"
    id: str = ""
    desired: JsonObject = field(default_factory=dict, metadata={"json": "wanted"})
    recorded: JsonObject | None = field(default=None, metadata={"json": "confirmed"})
    depends_on: list[str] = field(default_factory=list, metadata={"json": "needs"})
    intent: Intent | None = None
    # The wall-clock second at which AWS returned the id; for a while after it, reads may miss the resource.
    created_at: float = field(default=0.0, metadata={"json": "made"})
    # The wall-clock second of the last change; only kept for resource types that have a cooldown.
    changed_at: float = field(default=0.0, metadata={"json": "changed"})
    # The user's own tags on it; the stack's tags are derived from its name.
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_confirmed(self) -> bool:
        """Whether AWS is known to hold the desired properties, and no call is open."""
        return self.phase == "ready" and self.recorded == self.desired and self.intent is None

    @classmethod
    def parse(cls, json_object: JsonObject) -> ResourceState:
        """Return the resource state that one JSON object of the file holds."""
        intent = json_object.get("intent")
        intent_part = validate_types(Intent(**fields_from_json(Intent, intent))) if intent is not None else None
        return validate_types(cls(**fields_from_json(cls, {**json_object, "intent": intent_part})))


@dataclass(frozen=True)
class Tombstone:
    """The record of a deleted resource, kept until the final check of a teardown has found it gone."""

    logical_id: str = field(metadata={"json": "node"})
    type_name: str = field(metadata={"json": "kind"})
    aws_name: str = field(metadata={"json": "name"})
    id: str
    region: str
    deleted_at: float = field(metadata={"json": "at"})
    desired: JsonObject = field(default_factory=dict, metadata={"json": "wanted"})


@dataclass(frozen=True)
class StackLocation:
    """The location of a stack in AWS; a state of one location is never used in another."""

    account: str
    partition: str
    region: str
    endpoint: str = ""

    @property
    def description(self) -> str:
        """The account and the region in words."""
        return f"account {self.account}, region {self.region}"


@dataclass(frozen=True)
class PendingCommand:
    """A one-off command whose end no run has reported yet.

    `token` is its client token, `started_at` the wall-clock second at which it was about to run, `revision` the task
    definition, `task` the ARN of the ECS task once that is known.
    """

    token: str
    started_at: float = field(metadata={"json": "at"})
    revision: str
    task: str = ""


@dataclass
class StackState:
    """The state of one stack, as it is in the file."""

    suffix: str
    location: StackLocation = field(metadata={"json": "place"})
    # The program that wrote the file which was read, and its version; every write names the program that writes.
    writer: str = field(default="", compare=False)
    lineage: str = field(default_factory=lambda: str(uuid.uuid4()))
    serial: int = 0
    fencing_token: int = field(default=0, metadata={"json": "fence"})
    # The salt of the hashes that are written in place of sensitive values.
    salt: str = field(default_factory=new_salt, compare=False)
    lookups: dict[str, Any] = field(default_factory=dict, metadata={"json": "facts"})
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, ResourceState] = field(default_factory=dict, metadata={"json": "entries"})
    tombstones: list[Tombstone] = field(default_factory=list)
    # The schema of the file that was read; it is not written.
    loaded_schema: int = field(default=SCHEMA, compare=False, metadata={"json": "read_in"})
    # One-off commands that run in tasks of their own, and whose end no run has reported yet.
    pending_commands: dict[str, PendingCommand] = field(default_factory=dict, metadata={"json": "begun"})
    # The wall-clock second at which a teardown began to delete. 0 if none has begun, or if an apply of the
    # whole stack has ended since.
    teardown_began: float = 0.0
    # The settings that were given to the last apply: by path, `value` and `source`. Of a value that may be secret,
    # only a salted fingerprint. None before the first apply.
    settings: dict[str, JsonObject] | None = None

    @property
    def resource_count(self) -> int:
        """The number of resources, without the account-wide ones."""
        return sum(resource_state.type_name not in ACCOUNT_WIDE_TYPES for resource_state in self.resources.values())

    def rename(self, logical_id: str, to: str) -> None:
        """Move a resource state to the key `to`, and update the dependencies of all others that name it."""
        self.resources[to] = self.resources.pop(logical_id)
        for other in list(self.resources.values()):
            other.depends_on = [to if name == logical_id else name for name in other.depends_on]

    def ids_of_others(self, logical_id: str, type_name: str, region: str) -> frozenset[str]:
        """Return the ids of all other resources of the same type and region.

        A search for the resource `logical_id` by name or tags must not return any of these.
        """
        others = (resource_state for name, resource_state in self.resources.copy().items() if name != logical_id)
        return frozenset(
            other.id for other in others if other.id and (other.type_name, other.region) == (type_name, region)
        )

    def type_names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, resource type) of every resource, including the deleted ones that have a tombstone."""
        yield from ((logical_id, resource_state.type_name) for logical_id, resource_state in self.resources.items())
        yield from ((tombstone.logical_id, tombstone.type_name) for tombstone in self.tombstones)

    def dump(self, writer: str) -> bytes:
        """Return the JSON text of the state, with one resource per line.

        `writer` is the name and version of the program that writes the text.
        """
        fields = {"schema": SCHEMA, **json_fields(self), "writer": writer}
        del fields["read_in"]
        # Left out while empty, so that older versions, which do not know these fields, can read the file.
        for name in ("begun", "teardown_began"):
            if not fields[name]:
                del fields[name]
        lines = ",\n".join(f" {_encode(name)}: {_one_member_per_line(value)}" for name, value in fields.items())
        return f"{{\n{lines}\n}}\n".encode()

    @classmethod
    def parse(cls, text: bytes, source: str, hint: str = _ADOPT_ALL_HINT) -> StackState:
        """Return the state that is written in `text`.

        Args:
            text: The JSON text of a state file, of this schema or an older one.
            source: The path or address of the file, for messages.
            hint: The hint for a damaged file.

        Raises:
            StateError: The text is not a valid state file, or its schema is newer than this version.

        """
        try:
            raw = json.loads(text)
            schema = raw.pop("schema")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise _damaged_state_error(source, error, hint) from error
        if type(schema) is not int or not OLDEST <= schema <= NEWEST:
            raise StateError(
                f"{source} has schema {schema}; this version reads schema {OLDEST} to {NEWEST}.",
                "Use the version of the provisioner that wrote it, named under `writer` in the file.",
            )
        try:
            raw = migrate(raw, schema)
            return validate_types(
                cls(
                    **fields_from_json(
                        cls,
                        {
                            **raw,
                            "read_in": schema,
                            "place": validate_types(StackLocation(**fields_from_json(StackLocation, raw["place"]))),
                            "entries": {name: ResourceState.parse(entry) for name, entry in raw["entries"].items()},
                            "tombstones": [
                                validate_types(Tombstone(**fields_from_json(Tombstone, tombstone)))
                                for tombstone in raw["tombstones"]
                            ],
                            "begun": {
                                key: validate_types(PendingCommand(**fields_from_json(PendingCommand, other)))
                                for key, other in raw.get("begun", {}).items()
                            },
                        },
                    )
                )
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _damaged_state_error(source, error, hint) from error


def _fields(record: object) -> JsonObject:
    """Return the fields of a part of the state, not copied; raise `TypeError` for any other object."""
    if isinstance(record, (ResourceState, Intent, Tombstone, PendingCommand, StackLocation)):
        return json_fields(record)
    raise TypeError(f"a state holds no {type(record).__name__}")


# No indent: with one, `json` would use its slow pure Python encoder.
_encode = json.JSONEncoder(default=_fields).encode


def _one_member_per_line(value: Any) -> str:
    """Return the JSON of a mapping or a list with one member per line."""
    if value and isinstance(value, dict):
        members = [f"{_encode(name)}: {_encode(member)}" for name, member in value.items()]
        return "{\n  " + ",\n  ".join(members) + "\n }"
    if value and isinstance(value, list):
        return "[\n  " + ",\n  ".join(map(_encode, value)) + "\n ]"
    return _encode(value)


def _damaged_state_error(source: str, error: Exception, hint: str) -> StateError:
    return StateError(f"{source} is no state file of this tool, or it is damaged ({error}).", hint)
