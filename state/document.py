"""The document that a ledger is: what it says of one stack, and the JSON it stands in.

A resource is a line of the file, so that it reads, greps and compares line by line.
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
from state.marks import new_salt
from state.migrations import NEWEST, OLDEST, migrated

SCHEMA = NEWEST
WRITER = f"ml-api-provisioner {__version__}"

Phase = Literal["creating", "finishing", "ready", "updating", "deleting"]
Doc = dict[str, Any]


# What to do about a state file that is damaged.
_FOUND_AGAIN = (
    "`python cli.py apply --suffix NAME --adopt-all`, with the stack's --region, puts it aside, finds every "
    "resource by its tags and names, and writes a new one."
)


@dataclass
class Intent:
    """A call that was about to be made: which verb, with which token, at which wall-clock second."""

    verb: str
    token: str
    at: float


@dataclass
class Entry:
    """What is known of one node: `wanted` is what was asked last, `confirmed` what AWS is known to hold."""

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
    # The wall-clock second at which AWS gave the id: AWS may hide the thing for a while after it.
    made: float = 0.0
    # The second of the last change, of those things that AWS lets be changed only so often.
    changed: float = 0.0
    # The tags of the user's own that it was given; ours follow from its name.
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, doc: Doc) -> Entry:
        """An entry as it stood in a document."""
        intent = doc.get("intent")
        told = fitting(Intent(**intent)) if intent is not None else None
        return fitting(cls(**{**doc, "intent": told}))


@dataclass(frozen=True)
class Tombstone:
    """What was deleted, kept until a final look has found it gone."""

    node: str
    kind: str
    name: str
    id: str
    region: str
    at: float
    wanted: Doc = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a stack lives; a ledger of one place is never used in another."""

    account: str
    partition: str
    region: str
    endpoint: str = ""


@dataclass(frozen=True)
class Begun:
    """A command that was about to be run once: its token, when, of which revision, and as which task."""

    token: str
    at: float
    revision: str
    task: str = ""


@dataclass
class Document:
    """The whole of one ledger, as it stands in the file."""

    suffix: str
    place: Place
    # The version that wrote it, where it was read; every write is this version's.
    writer: str = field(default=WRITER, compare=False)
    lineage: str = field(default_factory=lambda: str(uuid.uuid4()))
    serial: int = 0
    fence: int = 0
    # What private values are hashed with before they are written down.
    salt: str = field(default_factory=new_salt, compare=False)
    facts: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    tombstones: list[Tombstone] = field(default_factory=list)
    # The schema it was read in, which no writing of it tells.
    read_in: int = field(default=SCHEMA, compare=False)
    # Commands that were begun in tasks of their own and whose end no run has told yet.
    begun: dict[str, Begun] = field(default_factory=dict)
    # The wall-clock second at which a teardown began to delete; 0 where none has begun, or an apply of the
    # whole stack has ended since.
    teardown_began: float = 0.0

    def rename(self, node: str, to: str) -> None:
        """Keep an entry under another name, by which those that need it know it too."""
        self.entries[to] = self.entries.pop(node)
        for other in list(self.entries.values()):
            other.needs = [to if name == node else name for name in other.needs]

    def held_beside(self, node: str, kind: str, region: str) -> frozenset[str]:
        """The ids of the other resources of a kind: what bears one of them is not this node."""
        others = (entry for name, entry in self.entries.copy().items() if name != node)
        return frozenset(one.id for one in others if one.id and (one.kind, one.region) == (kind, region))

    def kinds(self) -> Iterator[tuple[str, str]]:
        """Every resource it tells of, also the deleted ones, with its kind."""
        yield from ((node, entry.kind) for node, entry in self.entries.items())
        yield from ((stone.node, stone.kind) for stone in self.tombstones)

    def dump(self) -> bytes:
        """The JSON document: its schema and writer first, then a line a resource."""
        fields = {"schema": SCHEMA, **vars(self), "writer": WRITER}
        del fields["read_in"]
        for name in ("begun", "teardown_began"):  # what an older version can read, it shall
            if not fields[name]:
                del fields[name]
        lines = ",\n".join(f" {_encoded(name)}: {_block(value)}" for name, value in fields.items())
        return f"{{\n{lines}\n}}\n".encode()

    @classmethod
    def parse(cls, text: bytes, where: str, mend: str = _FOUND_AGAIN) -> Document:
        """Return the document in `text`; `mend` says what to do about one that is damaged.

        Raises: LedgerError where it is none, or of a newer schema.
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
                    **{
                        **raw,
                        "read_in": schema,
                        "place": fitting(Place(**raw["place"])),
                        "entries": {name: Entry.parse(entry) for name, entry in raw["entries"].items()},
                        "tombstones": [fitting(Tombstone(**stone)) for stone in raw["tombstones"]],
                        "begun": {key: fitting(Begun(**one)) for key, one in raw.get("begun", {}).items()},
                    }
                )
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _damaged(where, error, mend) from error


def _fields(part: object) -> Doc:
    """The fields of a part of the document, uncopied; TypeError for what does not belong in it."""
    if isinstance(part, (Entry, Intent, Tombstone, Begun, Place)):
        return vars(part)
    raise TypeError(f"a ledger holds no {type(part).__name__}")


# Without an indent the encoder is the one in C.
_encoded = json.JSONEncoder(default=_fields).encode


def _block(value: Any) -> str:
    """A mapping or a list with a member a line."""
    if value and isinstance(value, dict):
        members = [f"{_encoded(name)}: {_encoded(member)}" for name, member in value.items()]
        return "{\n  " + ",\n  ".join(members) + "\n }"
    if value and isinstance(value, list):
        return "[\n  " + ",\n  ".join(map(_encoded, value)) + "\n ]"
    return _encoded(value)


def _damaged(where: str, error: Exception, mend: str) -> LedgerError:
    return LedgerError(f"{where} is no ledger of this tool, or it is damaged ({error}).", mend)
