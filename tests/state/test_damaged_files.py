"""What was given or kept and cannot be is told in words: a bad record hides no other."""

from __future__ import annotations

import contextlib
import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.configuration import load_settings
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.runs.run import run_of
from provisioner.engine.runs.run_diff import diff_runs
from provisioner.engine.runs.timeline import timeline_of
from provisioner.errors import UsageError
from provisioner.prices.table import load_prices
from provisioner.settings.schema import setting_schemas
from provisioner.steps.lookups import are_valid_lookups
from provisioner.terminal.console import Console
from provisioner.terminal.run import show_run
from provisioner.terminal.timeline import show_timeline
from state.errors import StateError
from state.run_record import is_valid_run_record, validate_run_record
from state.stack_state import StackState
from tests.support.live_stack import LiveStack
from tests.support.user import User

DEEP = "[" * 2000 + "]" * 2000
DEEP_TABLE = '{"a":' * 2000 + "1" + "}" * 2000
STRANGE = [
    "[]",
    "{}",
    "[[]]",
    "null",
    "true",
    "1e400",
    "1" * 5000,
    "²",
    "[1, {}]",
    '{"a": []}',
    "nan",
    "\x00",
    DEEP,
    DEEP_TABLE,
]
KEPT = Path(__file__).parents[1] / "state" / "fixtures" / "state_schema_1.json"
SUFFIX = "prod"


@pytest.mark.parametrize("path", setting_schemas())
@pytest.mark.parametrize("value", STRANGE, ids=lambda one: one[:8])
def test_no_value_of_a_setting_is_a_traceback(path: str, value: str, tmp_path: Path) -> None:
    name = "MLAPI_" + path.upper().replace(".", "__")
    for sets, environment in (([f"{path}={value}"], {}), ([], {name: value})):
        try:
            load_settings(None, sets, environment)
        except UsageError:
            continue


@pytest.mark.parametrize("text", [f"profile = {DEEP}", f"[a]\nb = {DEEP}", "profile = []", "a" * 100_000, "\xff"])
def test_no_settings_file_is_a_traceback(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ml-api.toml"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(UsageError):
        load_settings(path, [], {})


def test_brackets_nested_too_deep_are_said_to_be(user: User) -> None:
    for one in (f"profile={DEEP}", f"container.environment={DEEP_TABLE}", "tags=" + "[" * 100 + "]" * 100):
        ran = user.run("plan", "--suffix", SUFFIX, "--set", one)
        assert (ran.code, "nested more than 16 deep" in ran.err) == (64, True)
    ran = user.run("plan", "--suffix", SUFFIX, "--set", "profile=[]")
    assert (ran.code, "profile" in ran.err) == (64, True)


def record(**more: Any) -> dict[str, Any]:
    """A record as a run writes it."""
    step = {
        "kind": "Vpc", "region": "us-east-1", "piece": "vpc", "verb": "create", "id": "vpc-1", "end": "ready",
        "needs": {}, "beside": [], "waits": 1,
        "moments": [[0.1, "starting"], [0.2, "retrying", 0.1, "why"], [0.5, "exists"], [0.9, "ready"]],
    }  # fmt: skip
    told = {
        "schema": 1, "suffix": SUFFIX, "command": "apply", "arguments": ["apply"], "who": "me@here",
        "caller": "arn", "place": {"region": "us-east-1", "account": "1", "endpoint": ""},
        "pace": 0.0, "start": 1.7e9,
        "end": 1.7e9, "seconds": 3.0, "result": "ok", "exit_code": 0, "message": "", "settings": {"a": 1},
        "plan": {"add": 1}, "nodes": {"vpc": step}, "calls": [[0.2, 0.1, "ec2:CreateVpc", "vpc", ""]],
    }  # fmt: skip
    return {**told, **more}


def use(doc: dict[str, Any]) -> None:
    """All that is made of a record."""
    run = run_of("r", doc)
    console = Console(quiet=True)
    show_run(console, run)
    show_timeline(console, timeline_of(doc))
    diff_runs(run, run_of("r", record()))
    DurationHistory.from_records([doc], 0.0)


def test_a_record_of_a_run_is_sound() -> None:
    validate_run_record(record())
    use(record())


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_a_record_of_wrong_types_is_either_refused_or_can_be_used(data: st.DataObject) -> None:
    doc = copy.deepcopy(record())
    path: list[Any] = []
    at: Any = doc
    while isinstance(at, dict | list) and at and (not path or data.draw(st.booleans())):
        path.append(data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at)))))
        at = at[path[-1]]
    holder = doc
    for step in path[:-1]:
        holder = holder[step]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(ANY)
    else:
        del holder[path[-1]]

    if is_valid_run_record(doc):
        use(doc)


@pytest.mark.parametrize("verb", ["create", "delete"])
@pytest.mark.parametrize("left_out", ["needs", "beside", "caller", "settings", "pace"])
def test_what_an_older_record_does_not_tell_is_no_damage(left_out: str, verb: str) -> None:
    doc = copy.deepcopy(record())
    for node in doc["nodes"].values():
        node["verb"] = verb
        node.pop(left_out, None)
    doc.pop(left_out, None)

    assert is_valid_run_record(doc)
    use(doc)


BAD = [
    b"[]",
    b"{}",
    b"null",
    b"\xff\xfe\x00",
    b"",
    b'{"result": 5}',
    DEEP.encode(),
    json.dumps(record(nodes=[])).encode(),
]


@pytest.fixture(scope="module")
def with_bad_records(live_stack: LiveStack) -> LiveStack:
    """The stack, with records that are none among its own; the newest of all is one."""
    folder = live_stack.desk.home / "embedded" / "runs" / "prod"
    for at, text in enumerate(BAD):
        (folder / f"2099010{at + 1}T000000.000Z.json").write_bytes(text)
    (folder / "20990201T000000.000Z.json").mkdir()
    os.mkfifo(folder / "20990202T000000.000Z.json")
    return live_stack


@pytest.mark.parametrize("verb", ["show", "timeline", "diff", "history", "releases", "report", "plan"])
def test_bad_records_are_named_and_passed_over(with_bad_records: LiveStack, verb: str) -> None:
    user = with_bad_records.desk
    user.well("plan", "--suffix", SUFFIX)
    if verb == "diff":
        user.well("apply", "--yes", "--suffix", SUFFIX)

    more = ("--html", str(user.home / "page.html")) if verb == "report" else ()
    ran = user.run(verb, "--suffix", SUFFIX, *more)

    assert "Traceback" not in ran.err
    if verb in ("show", "timeline", "diff"):
        assert ran.code == 0, ran.err
        assert "20990103T000000.000Z.json cannot be read" in ran.err
        assert "apply" in ran.out
    elif verb == "history":
        assert ran.err.count("cannot be read") >= len(BAD)
        assert "apply" in ran.out
    else:
        assert ran.code == 0, ran.err


def test_a_state_of_any_wrong_type_is_damaged_in_words() -> None:
    raw = json.loads(KEPT.read_text())
    wrong: list[Any] = [None, 5, "x", [], {}, [[]], {"a": 5}, True, -1.5]

    def tried(change: Callable[[dict[str, Any]], None]) -> None:
        doc = copy.deepcopy(raw)
        change(doc)
        with contextlib.suppress(StateError):
            are_valid_lookups(StackState.parse(json.dumps(doc).encode(), "x").lookups)

    for value in wrong:
        for key in raw:
            tried(lambda doc, key=key, value=value: doc.update({key: value}))  # type: ignore[misc]
        for key in raw["entries"]["task"]:
            tried(lambda doc, key=key, value=value: doc["entries"]["task"].update({key: value}))  # type: ignore[misc]
    for text in (b"\xff", b"", DEEP.encode(), b'{"schema": 1, "entries": ' + DEEP_TABLE.encode() + b"}"):
        with pytest.raises(StateError):
            StackState.parse(text, "x")


@pytest.mark.parametrize("facts", [{"zones": 5}, {"engine": []}, {"priorities": {"a": "b"}}, {"born": None}])
def test_facts_of_wrong_types_are_a_damaged_state(user: User, facts: dict[str, Any]) -> None:
    user.ledger(SUFFIX).parent.mkdir(parents=True, exist_ok=True)
    told = json.loads(KEPT.read_text())
    endpoint = f"embedded:{user.box.emulator.instance}"
    told |= {"facts": {**told["facts"], **facts}, "place": {**told["place"], "endpoint": endpoint}}
    user.ledger(SUFFIX).write_text(json.dumps(told))

    ran = user.run("plan", "--suffix", SUFFIX)

    assert ran.code == StateError.exit_code
    assert "is damaged" in ran.err


@pytest.mark.parametrize("text", [DEEP, "5", "\xff", '{"salt": 5}'])
def test_no_saved_plan_and_no_policy_file_is_a_traceback(user: User, tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(text.encode("latin-1"))

    for arguments in (("apply", str(path)), ("local", "start", "--authorise", str(path))):
        ran = user.run(*arguments, local=arguments[0] == "apply")
        assert (ran.code, "Traceback" in ran.err) == (64, False), ran.err


@pytest.mark.parametrize("text", ["[]", '{"us-east-1": 5}', '{"us-east-1": {"as_of": 5, "prices": {}}}', DEEP])
def test_a_cache_of_prices_that_is_none_is_passed_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)

    assert load_prices("us-east-1", path).as_of
