"""Typing what `doctor` tells to be typed: a command of ours, or one of AWS's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from botocore import xform_name

from tests.support.account_inventory import client
from tests.support.user import User

_CHANGES = ("apply", "restart", "rollback", "scale")


def type_it(user: User, told: str) -> None:
    """Type it; what only looks may end in whatever way it looks."""
    head, *words = shlex.split(told)
    if head == "aws":
        aws(user, words)
        return
    script, verb, *rest = words
    assert (head, script) == ("python", "cli.py")
    ran = user.run(verb, *rest, *(["--yes"] if verb in _CHANGES else []), local="--local" not in rest)
    assert ran.code == 0 or verb not in _CHANGES, ran.err
    assert "Traceback" not in ran.err


def aws(user: User, words: list[str]) -> Any:
    """The command line of AWS's own, for as much of it as is told: `wait`, options, and files."""
    service, operation, *rest = words
    waits = operation == "wait"
    if waits:
        operation, *rest = rest
    given = dict(_options(rest))
    caller = client(user.box.endpoint, service, given.pop("region"))
    if waits:
        waiter = caller.get_waiter(operation.replace("-", "_"))
        return waiter.wait(**_parameters(caller, waiter.config.operation, given))
    method = operation.replace("-", "_")
    return getattr(caller, method)(**_parameters(caller, caller.meta.method_to_api_mapping[method], given))


def _options(words: list[str]) -> list[tuple[str, str]]:
    """Options by name; one that is followed by another stands for itself."""
    at = [place for place, word in enumerate(words) if word.startswith("--")]
    ends = [*at[1:], len(words)]
    return [(words[start][2:], " ".join(words[start + 1 : end])) for start, end in zip(at, ends, strict=True)]


def _parameters(caller: Any, operation: str, given: dict[str, str]) -> dict[str, Any]:
    """What the options are called in the API; an option that no operation has fails here."""
    given.pop("query", None)
    members = caller.meta.service_model.operation_model(operation).input_shape.members
    named = {xform_name(name, "-"): name for name in members}
    if sides := given.keys() & {"ingress", "egress"}:  # the CLI's two words for one member
        given = {key: value for key, value in given.items() if key not in sides} | {"egress": str(sides)}
    return {named[key]: _value(members[named[key]], value) for key, value in given.items()}


def _value(shape: Any, text: str) -> Any:
    """A value as the command line takes it: plain, from a file, or in the short form of a structure."""
    if text.startswith("file://"):
        return Path(text.removeprefix("file://")).read_text()
    if shape.type_name == "list":
        return [_value(shape.member, text)]
    if shape.type_name == "structure":
        pairs = (pair.partition("=") for pair in text.split(","))
        return {name: _value(shape.members[name], value) for name, _, value in pairs}
    if shape.type_name == "boolean":
        return "egress" in text
    return {"integer": int, "long": int, "double": float, "float": float}.get(shape.type_name, str)(text)
