"""The `aws ...` commands that a message prints, carried out as the AWS CLI would."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from botocore import xform_name
from botocore.session import get_session

from provisioner.emulator.server import LocalAws
from tests.support.account_inventory import client

_COMMAND = re.compile(r"`aws ([^`]+)`")


def printed(text: str) -> list[str]:
    """The commands in a text, each once."""
    return list(dict.fromkeys(_COMMAND.findall(text)))


def carry_out(box: LocalAws, command: str) -> None:
    """One of them; a parameter that the operation does not have fails."""
    service, operation, *rest = shlex.split(command)
    told = _options(rest)
    region = str(told.pop("region", "us-east-1"))
    model = get_session().get_service_model(service)
    name = next(one for one in model.operation_names if xform_name(one, "-") == operation)
    shape = model.operation_model(name).input_shape
    members = {xform_name(one, "-"): one for one in shape.members} if shape else {}
    given: dict[str, Any] = {}
    for option, value in told.items():
        member = members[option]
        of_list = shape.members[member] if shape and shape.members[member].type_name == "list" else None
        is_json = isinstance(value, str) and value.startswith("[")
        if of_list and not is_json:
            is_pairs = of_list.member.type_name == "structure"
            one = dict(pair.split("=", 1) for pair in str(value).split(",")) if is_pairs else value
            given[member] = [one]
        else:
            given[member] = json.loads(str(value)) if is_json else value
    getattr(client(box.endpoint, service, region), xform_name(name))(**given)


def _options(words: list[str]) -> dict[str, str | bool]:
    """Each option with its value; one that stands alone is a switch, and off with `no-`."""
    told: dict[str, str | bool] = {}
    while words:
        name, *words = words
        name = name.removeprefix("--")
        if words and not words[0].startswith("--"):
            told[name], *words = words
        else:
            told[name.removeprefix("no-")] = not name.startswith("no-")
    return told
