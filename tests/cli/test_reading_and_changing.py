"""Every command reads or changes: what reads prints JSON and a part of it, what changes ends with one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.commands.main import cli
from tests.cli.test_completion_line import last_line
from tests.support.commands import leaves
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

# Each command that reads, with arguments; those that end with another code than 0 here have it.
READING = {
    "plan": "-s prod",
    "plan ": "-s prod --destroy",
    "plan  ": "-s prod --offline",
    "drift": "-s prod",
    "verify-gone": "-s prod",
    "releases": "-s prod",
    "status": "-s prod",
    "status ": "-s prod --cached --resources",
    "doctor": "-s prod",
    "logs": "-s prod --since 1h",
    "open": "-s prod --print",
    "outputs": "-s prod",
    "outputs ": "-s prod vpc_id --format env",
    "report": "-s prod --html page.html",
    "graph": "-s prod",
    "graph ": "-s prod --format svg",
    "list": "",
    "history": "-s prod",
    "show": "-s prod",
    "diff": "last last -s prod",
    "timeline": "-s prod",
    "state pull": "-s prod",
    "state history": "-s prod",
    "policy": "-s prod --for plan",
    "policy ": "-s prod --for plan --out policies",
    "bootstrap": "-s prod --repo acme/api --branch main --for plan",
    "config show": "",
    "config schema": "",
    "local status": "",
    "version": "",
}
# Of AWS, or of a state: in an order in which each has something to do.
CHANGING = {
    "state init": "--state s3://team-states/x --yes",
    "apply": "-s prod --yes --set edge.guard=require",
    "deploy": "-s prod --yes --image public.ecr.aws/acme/model:2",
    "rollback": "-s prod --yes",
    "restart": "-s prod --yes",
    "scale": "-s prod --yes --max 7",
    "run": "-s prod --yes --detach -- env",
    "rotate-origin-secret": "-s prod --yes --set edge.guard=require",
    "bootstrap": "-s prod --yes --repo acme/api --branch main --for plan",
    "state push": "-s prod prod.json --force",
    "state restore": "-s prod VERSION --yes",
    "state unlock": "-s prod --yes",
    "teardown": "-s prod --yes",
}
# Of this machine alone: their own line says what they did, and they call nothing.
HERE = {"config init", "config set", "config unset", "local start", "local stop"}
# What a person is in, and what prints no data.
OTHERS = {"exec", "db tunnel", "help", "completion"}
CALLS_NOTHING = ("config", "local", "version")


def test_every_command_is_in_one_of_the_lists() -> None:
    assert {*map(str.strip, READING), *CHANGING, *HERE, *OTHERS} == set(leaves(cli))


def documents(text: str) -> Iterator[Any]:
    """The JSON values of a text, one after the other."""
    while text := text.lstrip():
        value, end = json.JSONDecoder().raw_decode(text)
        yield value
        text = text[end:]


@pytest.mark.parametrize("name", READING)
def test_what_reads_prints_json_and_the_part_of_it_that_is_asked_for(name: str, live_stack: LiveStack) -> None:
    user, command = live_stack.desk, [*name.split(), *READING[name].split()]
    is_local = not name.startswith(CALLS_NOTHING)

    table = user.run(*command, local=is_local)
    whole = user.run(*command, "--output", "json", local=is_local)
    part = user.run(*command, "--query", "keys(@)", local=is_local)

    assert table.code == whole.code == part.code, (table.err, whole.err, part.err)
    records, keys = list(documents(whole.out)), list(documents(part.out))
    assert keys == [list(record) for record in records if record.get("type") != "error"]
    assert keys or name in ("logs", "verify-gone")  # no line; and only the error that all of it remains


def test_what_changes_prints_json_alone_and_ends_with_one_line(user: User) -> None:
    user.environment["MLAPI_LOCAL"] = "1"
    for name, arguments in CHANGING.items():
        words = [*name.split(), *arguments.split()]
        if name == "state push":
            pulled = user.well("state", "pull", "-s", SUFFIX).out
            (user.home / "prod.json").write_text(pulled)
            words[words.index("prod.json")] = str(user.home / "prod.json")
        elif name == "state restore":
            versions = user.well("state", "history", "-s", SUFFIX, "--json").lines[0]["versions"]
            words[words.index("VERSION")] = versions[-1]["name"]

        ran = user.run(*name.split(), "--json", *words[len(name.split()) :], local=False)

        assert ran.code == 0, ran.err
        assert all(line["type"] for line in ran.lines), name
        title = name.replace("rotate-origin-secret", "rotation").capitalize()
        if name != "state unlock":  # nobody holds it: nothing was changed
            assert last_line(ran.err).startswith(f"{title} complete: "), ran.err
