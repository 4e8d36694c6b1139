"""The state of one stack: its data classes, and the JSON file that it is written to and read from.

The file has one resource per line, so that `grep` and `diff` work on it by resource.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from provisioner import __version__
from provisioner.errors import LedgerError
from state.fitting import fitting
from state.json_fields import by_name, json_fields
from state.marks import new_salt
from state.migrations import NEWEST, OLDEST, migrated

SCHEMA = NEWEST
WRITER = f"ml-api-provisioner {__version__}"

Phase = Literal["creating", "finishing", "ready", "updating", "deleting"]
Doc = dict[str, Any]


# The hint for a damaged state file.
_FOUND_AGAIN = (
    "`python cli.py apply --suffix NAME --adopt-all`, with the stack's --region, puts it aside, finds every "
    "resource by its tags and names, and writes a new one."
)


@dataclass
class Intent:
    """A create, update or delete call that is about to be made.

    `verb` is the action, `token` the client token that the call carries, `at` the wall-clock second.
    """

    verb: str
    token: str
    at: float


@dataclass
class Entry:
    """The state of one resource.

    `wanted` holds the properties that were asked for last, `confirmed` those that AWS is known to hold.
    """

    kind: str
    name: str
    piece: str = ""
    region: str = ""
    phase: Phase = "creating"
    id: str = ""
    wanted: Doc = field(default_factory=dict)
    confirmed: Doc | None = None
    needs: list[str] = field(default_factory=list)
    intent: Intent | None = None
    # The wall-clock second at which AWS returned the id; for a while after it, reads may miss the resource.
    made: float = 0.0
    # The wall-clock second of the last change; only kept for resource types that have a cooldown.
    changed: float = 0.0
    # The user's own tags on it; the stack's tags are derived from its name.
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, doc: Doc) -> Entry:
        """Return the resource state that one JSON object of the file holds."""
        intent = doc.get("intent")
        told = fitting(Intent(**by_name(Intent, intent))) if intent is not None else None
        return fitting(cls(**by_name(cls, {**doc, "intent": told})))


@dataclass(frozen=True)
class Tombstone:
    """The record of a deleted resource, kept until the final check of a teardown has found it gone."""

    node: str
    kind: str
    name: str
    id: str
    region: str
    at: float
    wanted: Doc = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """The location of a stack in AWS; a state of one location is never used in another."""

    account: str
    partition: str
    region: str
    endpoint: str = ""


@dataclass(frozen=True)
class Begun:
    """A one-off command whose end no run has reported yet.

    `token` is its client token, `at` the wall-clock second at which it was about to run, `revision` the task
    definition, `task` the ARN of the ECS task once that is known.
    """

    token: str
    at: float
    revision: str
    task: str = ""


@dataclass
class Document:
    """The state of one stack, as it is in the file."""

    suffix: str
    place: Place
    # The version of the provisioner that wrote the file that was read; every write names this version.
    writer: str = field(default=WRITER, compare=False)
    lineage: str = field(default_factory=lambda: str(uuid.uuid4()))
    serial: int = 0
    fence: int = 0
    # The salt of the hashes that are written in place of sensitive values.
    salt: str = field(default_factory=new_salt, compare=False)
    facts: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    tombstones: list[Tombstone] = field(default_factory=list)
    # The schema of the file that was read; it is not written.
    read_in: int = field(default=SCHEMA, compare=False)
    # One-off commands that run in tasks of their own, and whose end no run has reported yet.
    begun: dict[str, Begun] = field(default_factory=dict)
    # The wall-clock second at which a teardown began to delete. 0 if none has begun, or if an apply of the
    # whole stack has ended since.
    teardown_began: float = 0.0

    def rename(self, node: str, to: str) -> None:
        """Move a resource state to the key `to`, and update the dependencies of all others that name it."""
        self.entries[to] = self.entries.pop(node)
        for other in list(self.entries.values()):
            other.needs = [to if name == node else name for name in other.needs]

    def held_beside(self, node: str, kind: str, region: str) -> frozenset[str]:
        """Return the ids of all other resources of the same type and region.

        A search for the resource `node` by name or tags must not return any of these.
        """
        others = (entry for name, entry in self.entries.copy().items() if name != node)
        return frozenset(one.id for one in others if one.id and (one.kind, one.region) == (kind, region))

    def kinds(self) -> Iterator[tuple[str, str]]:
        """Yield (key, resource type) of every resource, including the deleted ones that have a tombstone."""
        yield from ((node, entry.kind) for node, entry in self.entries.items())
        yield from ((stone.node, stone.kind) for stone in self.tombstones)

    def dump(self) -> bytes:
        """Return the JSON text of the state: schema and writer first, then one resource per line."""
        fields = {"schema": SCHEMA, **json_fields(self), "writer": WRITER}
        del fields["read_in"]
        # Left out while empty, so that older versions, which do not know these fields, can read the file.
        for name in ("begun", "teardown_began"):
            if not fields[name]:
                del fields[name]
        lines = ",\n".join(f" {_encoded(name)}: {_block(value)}" for name, value in fields.items())
        return f"{{\n{lines}\n}}\n".encode()

    @classmethod
    def parse(cls, text: bytes, where: str, mend: str = _FOUND_AGAIN) -> Document:
        """Return the state that is written in `text`.

        Args:
            text: The JSON text of a state file, of this schema or an older one.
            where: The path or address of the file, for messages.
            mend: The hint for a damaged file.

        Raises:
            LedgerError: The text is not a valid state file, or its schema is newer than this version.

        """
        try:
            raw = json.loads(text)
            schema = raw.pop("schema")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise _damaged(where, error, mend) from error
        if type(schema) is not int or not OLDEST <= schema <= NEWEST:
            raise LedgerError(
                f"{where} has schema {schema}; this version reads schema {OLDEST} to {NEWEST}.",
                "Use the version of the provisioner that wrote it, named under `writer` in the file.",
            )
        try:
            raw = migrated(raw, schema)
            return fitting(
                cls(
                    **by_name(
                        cls,
                        {
                            **raw,
                            "read_in": schema,
                            "place": fitting(Place(**by_name(Place, raw["place"]))),
                            "entries": {name: Entry.parse(entry) for name, entry in raw["entries"].items()},
                            "tombstones": [
                                fitting(Tombstone(**by_name(Tombstone, stone))) for stone in raw["tombstones"]
                            ],
                            "begun": {
                                key: fitting(Begun(**by_name(Begun, one))) for key, one in raw.get("begun", {}).items()
                            },
                        },
                    )
                )
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _damaged(where, error, mend) from error


def _fields(part: object) -> Doc:
    """Return the fields of a part of the state, not copied; raise `TypeError` for any other object."""
    if isinstance(part, (Entry, Intent, Tombstone, Begun, Place)):
        return json_fields(part)
    raise TypeError(f"a ledger holds no {type(part).__name__}")


# No indent: with one, `json` would use its slow pure Python encoder.
_encoded = json.JSONEncoder(default=_fields).encode


def _block(value: Any) -> str:
    """Return the JSON of a mapping or a list with one member per line."""
    if value and isinstance(value, dict):
        members = [f"{_encoded(name)}: {_encoded(member)}" for name, member in value.items()]
        return "{\n  " + ",\n  ".join(members) + "\n }"
    if value and isinstance(value, list):
        return "[\n  " + ",\n  ".join(map(_encoded, value)) + "\n ]"
    return _encoded(value)


def _damaged(where: str, error: Exception, mend: str) -> LedgerError:
    return LedgerError(f"{where} is no ledger of this tool, or it is damaged ({error}).", mend)
