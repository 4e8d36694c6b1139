"""The validated shape of a run record, so that readers need not check it again."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from graphlib import TopologicalSorter
from typing import Any

from state.fitting import fitting
from state.json_fields import by_name, json_keys

Doc = dict[str, Any]
# The year 2500: a later time is not that of a run, and the C library may fail to convert it.
_LATEST = 16_725_225_600.0
_LONGEST = 10 * 365 * 86400.0
_WAITED = 4  # the members of a wait: when, what, how long, why


@dataclass
class Step:
    """What happened to one resource in a run."""

    kind: str
    region: str
    piece: str
    verb: str
    id: str
    end: str
    moments: list[list[Any]]
    waits: int
    needs: dict[str, str] = field(default_factory=dict)
    beside: list[str] = field(default_factory=list)


@dataclass
class Record:
    """The record of one run."""

    suffix: str
    command: str
    arguments: list[str]
    who: str
    place: dict[str, str]
    start: float
    seconds: float
    result: str
    exit_code: int | None
    message: str
    plan: dict[str, int]
    nodes: dict[str, Doc]
    calls: list[list[Any]]
    caller: str = ""
    settings: Doc = field(default_factory=dict)
    pace: float = 1.0


def sound(doc: Doc) -> Doc:
    """Return the record unchanged if a run can have written it.

    Raises:
        TypeError: A field has the wrong type.
        ValueError: A field is missing or holds an impossible value.

    """
    record = fitting(_made(Record, doc))
    if not (_is_in(record.start, _LATEST) and _is_in(record.seconds, _LONGEST)):
        raise ValueError("start or seconds is no time")
    if not {"account", "region", "endpoint"} <= record.place.keys():
        raise ValueError("place is none it can be")
    for name, step in record.nodes.items():
        _check_moments(name, fitting(_made(Step, step)).moments)
    TopologicalSorter({name: list(step.get("needs", ())) for name, step in record.nodes.items()}).prepare()
    for call in record.calls:
        if not _is_call(call):
            raise ValueError("a call is none it can be")
    return doc


def is_sound(doc: Doc) -> bool:
    """Return whether a run can have written this record."""
    try:
        sound(doc)
    except (TypeError, ValueError):
        return False
    return True


def _made(sort: type[Any], doc: Doc) -> Any:
    """Return the dataclass made from the fields that it knows.

    Unknown fields are ignored, because a later version may write more.
    """
    if not isinstance(doc, dict):
        raise TypeError(f"{sort.__name__.lower()}: it is no mapping")
    known = json_keys(sort)
    needed = [one.metadata.get("json", one.name) for one in fields(sort) if _is_needed(one)]
    lacks = [key for key in needed if key not in doc]
    if lacks:
        raise ValueError(f"{sort.__name__.lower()}: it lacks {', '.join(lacks)}")
    return sort(**by_name(sort, {key: value for key, value in doc.items() if key in known}))


def _is_needed(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _check_moments(name: str, moments: list[list[Any]]) -> None:
    for moment in moments:
        at, what, *about = moment if len(moment) > 1 else [None, None]
        is_told = len(about) == _WAITED - 2 and _is_in(about[0], _LONGEST)
        is_told = is_told or (not about and what != "retrying")
        if not (_is_in(at, _LONGEST) and isinstance(what, str) and is_told):
            raise ValueError(f"{name}: a moment is none it can be")
        if about and not isinstance(about[1], str):
            raise ValueError(f"{name}: a reason is no text")
    if not moments:
        raise ValueError(f"{name}: it has no moments")


def _is_call(call: list[Any]) -> bool:
    """Return whether a call is recorded as (time, seconds, operation, resource, error code)."""
    if len(call) != len(("at", "seconds", "name", "node", "error")):
        return False
    return all(_is_in(one, _LONGEST) for one in call[:2]) and all(isinstance(one, str) for one in call[2:])


def _is_in(value: object, most: float) -> bool:
    """Return whether a value is a number between `-most` and `most`; NaN is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
