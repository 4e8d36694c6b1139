"""The validated shape of a run record, so that readers need not check it again."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from graphlib import TopologicalSorter
from typing import Any

from state.serialization import fields_from_json, json_keys, validate_types

JsonObject = dict[str, Any]
# The year 2500: a later time is not that of a run, and the C library may fail to convert it.
_LATEST_START = 16_725_225_600.0
_LONGEST_RUN = 10 * 365 * 86400.0
_WAIT_EVENT_LENGTH = 4  # the members of a wait: when, what, how long, why


@dataclass
class ResourceRunRecord:
    """What happened to one resource in a run."""

    type_name: str = field(metadata={"json": "kind"})
    region: str
    step: str = field(metadata={"json": "piece"})
    action: str = field(metadata={"json": "verb"})
    id: str
    outcome: str = field(metadata={"json": "end"})
    events: list[list[Any]] = field(metadata={"json": "moments"})
    waits: int
    depends_on: dict[str, str] = field(default_factory=dict, metadata={"json": "needs"})
    alongside: list[str] = field(default_factory=list, metadata={"json": "beside"})


@dataclass
class RunRecord:
    """The record of one run."""

    suffix: str
    command: str
    arguments: list[str]
    user: str = field(metadata={"json": "who"})
    location: dict[str, str] = field(metadata={"json": "place"})
    start: float
    seconds: float
    result: str
    exit_code: int | None
    message: str
    plan: dict[str, int]
    resources: dict[str, JsonObject] = field(metadata={"json": "nodes"})
    calls: list[list[Any]]
    caller: str = ""
    settings: JsonObject = field(default_factory=dict)
    speed: float = field(default=1.0, metadata={"json": "pace"})


def validate_run_record(json_object: JsonObject) -> JsonObject:
    """Return the record unchanged if a run can have written it.

    Raises:
        TypeError: A field has the wrong type.
        ValueError: A field is missing or holds an impossible value.

    """
    record = validate_types(_from_json(RunRecord, json_object))
    if not (_is_within(record.start, _LATEST_START) and _is_within(record.seconds, _LONGEST_RUN)):
        raise ValueError("start or seconds is out of range")
    if not {"account", "region", "endpoint"} <= record.location.keys():
        raise ValueError("place lacks account, region or endpoint")
    for name, resource in record.resources.items():
        _check_events(name, validate_types(_from_json(ResourceRunRecord, resource)).events)
    dependencies = {name: list(resource.get("needs", ())) for name, resource in record.resources.items()}
    TopologicalSorter(dependencies).prepare()
    for call in record.calls:
        if not _is_call(call):
            raise ValueError("a call is malformed")
    return json_object


def is_valid_run_record(record: JsonObject) -> bool:
    """Return whether a run can have written this record."""
    try:
        validate_run_record(record)
    except (TypeError, ValueError):
        return False
    return True


def _from_json(cls: type[Any], record: JsonObject) -> Any:
    """Return the dataclass made from the fields that it knows.

    Unknown fields are ignored, because a later version may write more.
    """
    if not isinstance(record, dict):
        raise TypeError(f"{cls.__name__.lower()}: it is not a JSON object")
    known = json_keys(cls)
    required = [item.metadata.get("json", item.name) for item in fields(cls) if _is_required(item)]
    missing = [key for key in required if key not in record]
    if missing:
        raise ValueError(f"{cls.__name__.lower()}: it lacks {', '.join(missing)}")
    return cls(**fields_from_json(cls, {key: value for key, value in record.items() if key in known}))


def _is_required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _check_events(name: str, events: list[list[Any]]) -> None:
    for event in events:
        at, event_type, *wait = event if len(event) > 1 else [None, None]
        is_valid = len(wait) == _WAIT_EVENT_LENGTH - 2 and _is_within(wait[0], _LONGEST_RUN)
        is_valid = is_valid or (not wait and event_type != "retrying")
        if not (_is_within(at, _LONGEST_RUN) and isinstance(event_type, str) and is_valid):
            raise ValueError(f"{name}: an event is malformed")
        if wait and not isinstance(wait[1], str):
            raise ValueError(f"{name}: the reason of a wait is not text")
    if not events:
        raise ValueError(f"{name}: it has no events")


def _is_call(call: list[Any]) -> bool:
    """Return whether a call is recorded as (time, seconds, operation, resource, error code)."""
    if len(call) != len(("at", "seconds", "name", "node", "error")):
        return False
    return all(_is_within(item, _LONGEST_RUN) for item in call[:2]) and all(isinstance(item, str) for item in call[2:])


def _is_within(value: object, most: float) -> bool:
    """Return whether a value is a number between `-most` and `most`; NaN is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
