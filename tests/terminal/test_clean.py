"""What AWS or a container says does nothing to a terminal but stand there."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.commands.output_files import SUMMARY, append_job_summary, write
from provisioner.terminal.console import Console, sanitize, trusted_sequence, unwrap_trusted
from tests.support.account_inventory import client
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

HOSTILE = {
    "title": "\x1b]0;owned\x07",
    "title, 8 bit": "\x9d0;owned\x9c",
    "clipboard": "\x1b]52;c;b3duZWQ=\x1b\\",
    "clear": "\x1b[2J\x1b[H",
    "clear, 8 bit": "\x9b2J",
    "conceal": "\x1b[8m",
    "query": "\x1b[c\x1b[6n",
    "reset": "\x1bc",
    "charset": "\x1b(0",
    "DCS": "\x1bP$q\x1b\\",
    "overwrite": "\rError: none",
    "bell": "\x07\x08\x7f",
    "turned": "\u202egnp.exe\u202c",
    "isolated": "\u2066a\u2069",
    "tagged": "\U000e0041",
    "line": "\u2028",
    "cut off": "\x1b]0;never ended",
    "forged": "\x00deadbeef:\x1b[2J\x00",
}
BAD = [*map(chr, (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))]


def controls(text: str) -> list[str]:
    return [one for one in text if one in BAD]


@pytest.mark.parametrize("name", HOSTILE)
def test_each_is_taken_out_and_what_stands_around_it_stays(name: str) -> None:
    told = sanitize(f"before{HOSTILE[name]}after\n\tnext é 漢 👍🏽")

    assert controls(told) == []
    assert told.startswith("before")
    assert told.endswith("after\n\tnext é 漢 👍🏽")
    assert "owned" not in told


@given(st.text(alphabet=st.sampled_from([*BAD, *"[]0;:a\\\\m\n"])))
def test_nothing_that_is_left_controls_anything(text: str) -> None:
    assert controls(sanitize(text)) == []
    assert sanitize(sanitize(text)) == sanitize(text)


def test_the_tools_own_pass_and_nobody_elses() -> None:
    told = f"{trusted_sequence(chr(27) + '[31m')}x\x1b[2J{trusted_sequence(chr(27) + '[0m')}"

    assert sanitize(told) == "\x1b[31mx\x1b[0m"
    assert unwrap_trusted(told) == "\x1b[31mx\x1b[2J\x1b[0m"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_all_that_is_said_is_clean(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    heard = io.StringIO()
    monkeypatch.setattr(f"sys.{stream}", heard)
    monkeypatch.setenv("FORCE_COLOR", "1")
    console, text = Console(), "".join(HOSTILE.values())

    for act in (
        console.data,
        console.note,
        console.ask,
        lambda one: console.error(one, one),
        lambda one: console.note(one, "red"),
    ):
        act(text)
    console.data(console.paint(text, "green"))

    assert heard.getvalue()
    assert set(controls(heard.getvalue())) <= {"\x1b"}
    assert (
        heard.getvalue()
        .replace("\x1b[31m", "")
        .replace("\x1b[0m", "")
        .replace("\x1b[32m", "")
        .replace("\x1b[1m", "")
        .count("\x1b")
        == 0
    )


def test_json_keeps_what_was_said_and_escapes_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join(HOSTILE.values())
    Console(as_json=True).record("line", text=text)

    out = capsys.readouterr().out
    assert controls(out) == []
    assert json.loads(out)["text"] == text


def test_files_that_are_written_for_a_person_are_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(HOSTILE.values())
    monkeypatch.setenv(SUMMARY, str(tmp_path / "summary"))

    write(tmp_path / "page", text)
    append_job_summary(lambda: text, lambda *_: None)

    assert controls((tmp_path / "page").read_text() + (tmp_path / "summary").read_text()) == []


def spoken(user: User, text: str) -> None:
    """A line that a container of the service writes."""
    logs: Any = client(user.box.endpoint, "logs")
    group, stream = f"/aws/ecs/ml-api-{SUFFIX}", f"api/api/{'1' * 32}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    at = round(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": at, "message": text}])


def test_logs_are_clean_and_raw_where_that_is_asked_for(live_stack: LiveStack) -> None:
    text = f"said {HOSTILE['clear']}{HOSTILE['clipboard']}so"
    spoken(live_stack.desk, text)

    plain = live_stack.desk.well("logs", "--suffix", SUFFIX)
    as_written = live_stack.desk.well("logs", "--suffix", SUFFIX, "--raw")

    assert "said so" in plain.out
    assert controls(plain.out) == []
    assert text in as_written.out
