"""Every screen that people read, on a terminal of 80 and of 200 columns, of one stack that runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from provisioner.settings.schema import setting_schemas
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.screens import screen_of

NARROW, WIDE = 80, 200
OF_STACK = ("--suffix", SUFFIX, "--local")
CHANGED = ("--set", "container.port=9090", "--set", "service.maximum=12")
SCREENS = [
    ("status", *OF_STACK),
    ("status", "--resources", "--events", *OF_STACK),
    ("status", "--cached", "--resources", *OF_STACK),
    ("plan", *CHANGED, *OF_STACK),
    ("plan", "--offline", *OF_STACK),
    ("teardown", "--dry-run", *OF_STACK),
    ("drift", *OF_STACK),
    ("doctor", *OF_STACK),
    ("timeline", *OF_STACK),
    ("show", "last", *OF_STACK),
    ("diff", "last", "last", *OF_STACK),
    ("history", "--local"),
    ("list",),
    ("outputs", *OF_STACK),
    ("releases", *OF_STACK),
    ("logs", *OF_STACK),
    ("state", "history", *OF_STACK),
    ("config", "show"),
    ("local", "status"),
    ("db", "tunnel", *OF_STACK),
]
# What differs from one run to the next, or with the width: how long it took, and the bars of the timeline.
_NO_WORD = re.compile(r"[\d.]+\)?[,;]?|[|=-]+")


def screens(live_stack: LiveStack, command: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """What a command shows on a narrow and on a wide terminal."""
    with ThreadPoolExecutor() as pool:
        narrow, wide = pool.map(partial(screen_of, command, home=live_stack.desk.home), (NARROW, WIDE))
    return narrow, wide


def words(screen: list[str]) -> Iterator[str]:
    """The words on a screen, without numbers and bars."""
    return (word for row in screen for word in row.split() if not _NO_WORD.fullmatch(word))


def is_shortened(word: str, whole: set[str]) -> bool:
    """Whether a word is the beginning and the end of a whole one, with an ellipsis between them."""
    start, dots, end = word.partition("...")
    return bool(dots and end) and any(one.startswith(start) and one.endswith(end) for one in whole)


@pytest.mark.parametrize("command", SCREENS, ids=lambda command: "-".join(command[:2]))
def test_no_row_is_wrapped_and_no_word_is_cut(live_stack: LiveStack, command: tuple[str, ...]) -> None:
    narrow, wide = screens(live_stack, command)

    whole = set(words(wide))
    assert whole
    copied = {word for word in whole if len(word) > NARROW}
    assert [row for row in narrow if len(row) > NARROW and row.strip() not in copied and row[0] != "`"] == []
    assert [row for row in wide if len(row) > WIDE] == []
    assert [word for word in words(narrow) if word not in whole and not is_shortened(word, whole)] == []


def test_names_that_are_typed_back_stay_whole(live_stack: LiveStack) -> None:
    """Of resources and their types, of settings and runs, on a terminal of 80 columns."""
    home = live_stack.desk.home
    resources = screen_of(["status", "--resources", *OF_STACK], NARROW, home)
    settings = screen_of(["config", "show"], NARROW, home)
    runs = screen_of(["history", "--local"], NARROW, home)
    (run,) = live_stack.desk.well("history", "--suffix", SUFFIX, "--json").lines[0]["runs"][:1]

    assert {"sg-tasks-no-default-egress", "DBClusterParameterGroup"} <= set(words(resources))
    assert [row.split()[0] for row in settings if row[:1].strip()][1:] == list(setting_schemas())
    assert any(row.startswith("network.zones  ") and "  3 zones  " in row for row in settings)
    assert run["run"] in {row.split()[0] for row in runs if row}
    assert shlex.join(run["arguments"]) in {row.strip() for row in runs}


def test_ids_keep_their_beginning_and_their_end(live_stack: LiveStack) -> None:
    listed = screen_of(["teardown", "--dry-run", *OF_STACK], NARROW, live_stack.desk.home)
    resources = screen_of(["status", "--resources", *OF_STACK], NARROW, live_stack.desk.home)

    assert any(row.startswith("      arn:aws:elasticloadbalancing:") and "..." in row for row in listed)
    (vpc,) = (row.split()[-1] for row in resources if row.startswith("vpc  "))
    assert is_shortened(vpc, {live_stack.vpc})
    assert vpc.startswith("vpc-")


def test_a_status_of_a_healthy_stack_fits_one_screen(live_stack: LiveStack) -> None:
    """The verdict, some twenty lines, and the outputs whole; all events only where they are wanted."""
    short, full = (
        screen_of(["status", *OF_STACK, *more], NARROW, live_stack.desk.home) for more in ((), ("--events",))
    )

    assert short[0] == "Everything is healthy."
    assert len(short) <= 27  # with the line on stderr, and the one after the last
    assert sum("reached a steady state" in row for row in short) == 1
    assert [sum(row.strip() == "2 on FARGATE" for row in screen) for screen in (short, full)] == [0, 1]
    assert set(live_stack.desk.known(SUFFIX)["outputs"].values()) <= set(words(short))
