"""What a container is told by variables is seen by the container alone: nothing we print or keep has it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.planning.diff import Difference
from provisioner.engine.resource_graph.sensitive import SensitiveValue, mask, mask_changes, to_recorded
from provisioner.names import WRITER
from provisioner.terminal.differences import difference_lines
from state.backend import FileBackend
from state.fingerprints import fingerprint_of, is_fingerprint, new_salt
from state.stack_state import SCHEMA, StackState
from state.state_store import save_version
from tests.support.account_inventory import client
from tests.support.live_stack import SUFFIX
from tests.support.user import CommandResult, User

KEPT = Path(__file__).parents[1] / "state" / "fixtures" / "state_schema_1.json"
# The fields that schema 1 did not have.
SINCE_1 = ("salt", "settings")
CANARY = "canary"
MAIN, OTHER = f"{CANARY}-of-main", f"{CANARY}-of-other"
IMAGE = "public.ecr.aws/acme/model:1.4.2"


def settings(main: str = MAIN, other: str = OTHER, **more: str) -> list[str]:
    """The settings with a secret for each of two services."""
    services = {"other": {"prefixes": ["/other"], "environment": {"OTHER_TOKEN": other}}}
    told = json.dumps({"TOKEN": main, "MODE": "fast", **more})
    return ["--set", f"container.environment={told}", "--set", f"api.services={json.dumps(services)}"]


def leaks(user: User, *ran: CommandResult) -> list[str]:
    """Where the canary stands, in what was printed and in all files of the user's."""
    files = [path for path in user.home.parent.rglob("*") if path.is_file()]
    told = [str(path) for path in files if CANARY.encode() in path.read_bytes()]
    return told + [stream for one in ran for stream in (one.out, one.err) if CANARY in stream]


def task(user: User) -> dict[str, Any]:
    """What AWS says of the variables of the main service's container."""
    ecs = client(user.box.endpoint, "ecs")
    service = ecs.describe_services(cluster=f"ml-api-cluster-{SUFFIX}", services=[f"ml-api-service-{SUFFIX}"])
    arn = service["services"][0]["taskDefinition"]
    (container,) = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"]
    return {one["name"]: one["value"] for one in container["environment"]}


@pytest.mark.slow
def test_in_a_whole_life_no_output_and_no_file_has_it(user: User, tmp_path: Path) -> None:
    said: list[CommandResult] = []

    def well(*arguments: str) -> CommandResult:
        said.append(user.well(*arguments))
        return said[-1]

    def around(main: str) -> None:
        """Every command that looks, with settings that want another value."""
        for form in ((), ("--json",), ("--markdown", str(tmp_path / "page.md"))):
            well("plan", "--suffix", SUFFIX, *settings(main), *form)
            said.append(user.run("drift", "--suffix", SUFFIX, *settings(main), *form))
        for verb in ("status", "show", "history", "timeline", "graph", "doctor", "policy"):
            said.append(user.run(verb, "--suffix", SUFFIX, *settings(main)))
            said.append(user.run(verb, "--suffix", SUFFIX, *settings(main), "--json"))
        well("report", "--suffix", SUFFIX, *settings(main), "--html", str(tmp_path / "page.html"))
        said.append(user.run("config", "show", *settings(main)))
        said.append(user.run("config", "show", *settings(main), "--json"))
        well("state", "pull", "--suffix", SUFFIX)

    saved = tmp_path / "plan.json"
    well("plan", "--suffix", SUFFIX, "--out", str(saved), *settings())
    well("apply", str(saved), *settings())
    assert task(user)["TOKEN"] == MAIN
    assert well("plan", "--suffix", SUFFIX, *settings()).out == "No changes.\n"
    around(f"{CANARY}-changed")
    well("apply", "--yes", "--suffix", SUFFIX, *settings(f"{CANARY}-changed", EXTRA=f"{CANARY}-added"))
    assert task(user)["EXTRA"] == f"{CANARY}-added"
    well("deploy", "--yes", "--suffix", SUFFIX, "--image", IMAGE, "--env", f"TOKEN={CANARY}-shipped")
    assert task(user)["TOKEN"] == f"{CANARY}-shipped"
    around(MAIN)
    well("diff", "--suffix", SUFFIX)
    well("rollback", "--yes", "--suffix", SUFFIX)
    assert task(user)["TOKEN"] == f"{CANARY}-changed"
    well("deploy", "--yes", "--suffix", SUFFIX, "--image", IMAGE, "--env", f"TOKEN={CANARY}-again")
    words = ("tool", "-p", CANARY, f"-p{CANARY}", f"A={CANARY}")
    # What the task writes is its own; that the command was run, with what, is in no record of it.
    assert user.process("run", "--local", "--yes", "--suffix", SUFFIX, "--", *words).code == 0
    log = tmp_path / "debug.log"
    ran = user.process(
        *("run", "--local", "--yes", "--suffix", SUFFIX, "--env", f"TOKEN={CANARY}-run", "--image", IMAGE),
        "--log-file",
        str(log),
        "--",
        "tool",
    )
    assert ran.code == 0, ran.err
    assert CANARY not in log.read_text()
    said.append(ran)
    well("history", "--suffix", SUFFIX, "--json")
    well("apply", "--yes", "--suffix", SUFFIX, *settings())
    assert task(user)["TOKEN"] == f"{CANARY}-again"
    well("apply", "--yes", "--suffix", SUFFIX, "--take", "image", *settings())
    assert task(user)["TOKEN"] == MAIN
    assert well("plan", "--suffix", SUFFIX, *settings()).out == "No changes.\n"
    well("teardown", "--yes", "--suffix", SUFFIX)

    assert leaks(user, *said) == []


@pytest.fixture(scope="module")
def told(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """The stack with a secret for each of its two services; none of the tests changes it."""
    user = User.before(served, tmp_path_factory.mktemp("secrets") / "home")
    user.apply(SUFFIX, *settings())
    return user


def test_a_plan_says_set_and_changed_and_no_more(told: User) -> None:
    wanted = settings(f"{CANARY}-changed", EXTRA=f"{CANARY}-added")
    ran = told.well("plan", "--suffix", SUFFIX, *wanted)
    as_json = told.well("plan", "--suffix", SUFFIX, *wanted, "--json")
    page = told.home.parent / "page.md"
    told.well("plan", "--suffix", SUFFIX, *wanted, "--markdown", str(page))

    assert re.search(r"environment\.TOKEN\.value: \(set\) -> \(changed\)$", ran.out, re.MULTILINE)
    assert re.search(r'environment\.EXTRA: \(none\) -> \{"value": "\(set\)"\}$', ran.out, re.MULTILINE)
    assert "MODE" not in ran.out
    assert "(changed)" in as_json.out
    assert "hmac" not in ran.out + as_json.out + page.read_text()
    assert leaks(told, ran, as_json) == []


def test_the_state_holds_marks_by_a_salt_of_its_own(told: User) -> None:
    known = told.known(SUFFIX)
    (container,) = known["entries"]["task"]["confirmed"]["containerDefinitions"]
    kept = {one["name"]: one["value"] for one in container["environment"]}

    assert kept["TOKEN"] == fingerprint_of(known["salt"], "TOKEN", MAIN)
    assert kept["DB_PORT"] == "5432"
    assert leaks(told) == []


def test_a_change_by_hand_shows_as_drift_without_the_value(user: User) -> None:
    user.apply(SUFFIX, *settings())
    ecs = client(user.box.endpoint, "ecs")
    family = f"ml-api-taskdef-{SUFFIX}"
    found = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    known = user.known(SUFFIX)
    for one in known["entries"]["task"]["confirmed"]["containerDefinitions"][0]["environment"]:
        if one["name"] == "TOKEN":
            one["value"] = fingerprint_of(known["salt"], "TOKEN", "another")
    known["entries"]["task"]["phase"] = "ready"
    user.ledger(SUFFIX).write_text(json.dumps(known))
    shutil.rmtree(user.home / "embedded" / "runs")
    # A tag that is not ours to know makes the revision be described and not remembered.
    ecs.untag_resource(resourceArn=found["taskDefinitionArn"], tagKeys=["Project"])

    ran = user.run("drift", "--suffix", SUFFIX, *settings())
    as_json = user.run("drift", "--suffix", SUFFIX, *settings(), "--json")

    assert "TOKEN.value: (set) -> (changed)" in ran.out
    assert "(changed)" in as_json.out
    assert "hmac" not in ran.out + as_json.out
    assert leaks(user, ran, as_json) == []


def test_a_saved_plan_is_refused_where_a_value_is_another_and_names_it(told: User, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    told.well("plan", "--suffix", SUFFIX, "--out", str(path), *settings(f"{CANARY}-changed"))

    main = told.run("apply", str(path), *settings(f"{CANARY}-third"))
    other = told.run("apply", str(path), *settings(f"{CANARY}-changed", f"{CANARY}-third"))

    assert (main.code, other.code) == (5, 5)
    assert '"TOKEN": "(changed)"' in main.err
    assert '"OTHER_TOKEN": "(changed)"' in other.err
    assert "by the same `--set`" in other.err
    assert CANARY not in path.read_text() + main.err + other.err


def test_a_setting_that_is_refused_does_not_tell_its_value(user: User) -> None:
    given = [
        f"container.environment={CANARY}",
        f'container.environment={{"A": ["{CANARY}"]}}',
        f'container.environment={{"A": "{CANARY}"',
        f'container.environment{{"A": "{CANARY}"}}',
        f"container.environment.TOKEN={CANARY}",
        f'api.services={{"a": {{"prefixes": ["/a"], "environment": {{"A": {{"x": "{CANARY}"}}}}}}}}',
        f'api.services={{"a": {{"prefixes": ["/a"], "environment": "{CANARY}"}}}}',
    ]

    ran = [user.run("plan", "--suffix", SUFFIX, "--set", one) for one in given]

    assert [one.code for one in ran] == [64] * len(given)
    assert [one.err for one in ran if CANARY in one.err + one.out] == []


def test_a_state_of_schema_1_is_read_without_its_values_and_is_the_same_at_each_reading() -> None:
    text = KEPT.read_bytes()
    assert CANARY.encode() in text

    state, again = StackState.parse(text, "kept"), StackState.parse(text, "kept")

    assert state.dump(WRITER) == again.dump(WRITER)
    assert CANARY.encode() not in state.dump(WRITER)
    (container,) = state.resources["task"].desired["containerDefinitions"]
    kept = {one["name"]: one["value"] for one in container["environment"]}
    assert kept["TOKEN"] == SensitiveValue("TOKEN", "canary-of-the-main-service")
    assert kept["DB_PORT"] == "5432"
    assert len(state.tombstones) == 1
    assert json.loads(state.dump(WRITER))["schema"] == SCHEMA
    assert StackState.parse(state.dump(WRITER), "kept") == state


def test_what_was_kept_of_an_older_schema_is_written_anew_with_it(tmp_path: Path) -> None:
    store = FileBackend(tmp_path).store("prod")
    store.save(KEPT.read_bytes())
    store.save_version("20260101T000000Z-000001-920389a3", KEPT.read_bytes())
    store.save_version("20260102T000000Z-000002-920389a3", b"damaged")

    save_version(store, StackState.parse(KEPT.read_bytes(), "kept"), WRITER)

    assert len(store.version_names()) == 3
    assert [name for name in store.version_names() if CANARY.encode() in (store.load_version(name) or b"")] == []


def test_a_stack_whose_state_is_of_schema_1_goes_on_without_a_change(user: User) -> None:
    user.apply(SUFFIX, *settings())
    known = user.known(SUFFIX)
    clear = {"TOKEN": MAIN, "MODE": "fast", "OTHER_TOKEN": OTHER}
    text = json.dumps({**known, "schema": 1})
    for name, value in clear.items():
        text = text.replace(fingerprint_of(known["salt"], name, value), value)
    user.ledger(SUFFIX).write_text(json.dumps({k: v for k, v in json.loads(text).items() if k not in SINCE_1}))
    assert MAIN in user.ledger(SUFFIX).read_text()

    assert user.plan(SUFFIX, *settings()) == "No changes.\n"
    changed = user.well("plan", "--suffix", SUFFIX, *settings(f"{CANARY}-changed"))
    assert "(set) -> (changed)" in changed.out
    user.well("apply", "--yes", "--suffix", SUFFIX, *settings())

    assert leaks(user) == []
    assert user.plan(SUFFIX, *settings()) == "No changes.\n"


def test_a_private_value_equals_itself_and_its_marks_by_any_salt() -> None:
    secret, salts = SensitiveValue("A", "x"), (new_salt(), new_salt())
    marks = [secret.fingerprint_with(salt) for salt in salts]

    assert marks[0] != marks[1]
    assert all(mark == secret and is_fingerprint(mark) for mark in marks)
    assert secret != SensitiveValue("B", "x")
    assert secret != SensitiveValue("A", "y")
    assert secret != "x"
    assert SensitiveValue("B", "x").fingerprint_with(salts[0]) != marks[0]
    assert "x" not in f"{secret} {secret!r} {to_recorded([secret], salts[0])} {mask({'a': secret})}"


def test_what_is_private_is_shown_as_set_or_changed_wherever_it_lies() -> None:
    old = [
        {"name": "A", "value": SensitiveValue("A", "1")},
        {"name": "B", "value": fingerprint_of(new_salt(), "B", "2")},
    ]
    new = [{"name": "B", "value": SensitiveValue("B", "3")}, {"name": "C", "value": SensitiveValue("C", "4")}]

    told = list(difference_lines([Difference("environment", old, new)]))

    assert told == [
        'environment.A: {"value": "(set)"} -> (none)',
        "environment.B.value: (set) -> (changed)",
        'environment.C: (none) -> {"value": "(set)"}',
    ]
    assert mask_changes(old, old)[0]["value"] == "(set)"
