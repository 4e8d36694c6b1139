"""Lines and tables are as wide as the terminal at most; no word is cut, and an id loses its middle."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.settings.schema import setting_schemas
from provisioner.terminal.console import trusted_sequence
from provisioner.terminal.fitting import fit_line, shorten, table_lines, visible_length
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.screens import screen_of

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/ml-api-alb-prod/a85c3427de8b119a"
WORDS = st.lists(st.text("abcdefgh.", min_size=1, max_size=30), min_size=1, max_size=20)


def test_a_line_that_fits_is_as_it_is() -> None:
    assert fit_line("  one  two", 10) == "  one  two"
    assert fit_line(ARN * 5, None) == ARN * 5


def test_a_line_is_broken_between_words_and_indented() -> None:
    assert fit_line("  ~ ecs/task: one two three", 20).split("\n") == ["  ~ ecs/task: one", "      two three"]


def test_what_follows_is_below_the_last_column() -> None:
    line = "  services  service  2 of 2 run and more is to be said of them"

    assert fit_line(line, 44).split("\n")[1] == " " * 21 + "to be said of them"


@given(WORDS, st.integers(30, 120))
def test_no_part_is_too_wide_and_no_word_is_lost(words: list[str], width: int) -> None:
    parts = fit_line(" ".join(words), width).split("\n")

    assert max(map(len, parts)) <= width
    if max(map(len, words)) <= width - 4:
        assert " ".join(parts).split() == words


def test_a_command_stays_whole() -> None:
    line = "Look at it: `python cli.py status --suffix prod --region eu-west-1`."

    assert fit_line(line, 30).split("\n") == [
        "Look at it:",
        "    `python cli.py status --suffix prod --region eu-west-1`.",
    ]


def test_a_colour_takes_no_place() -> None:
    line = f"{trusted_sequence('[31m')}red{trusted_sequence('[0m')} word"

    assert visible_length(line) == 8
    assert fit_line(line, 8) == line


def test_an_id_loses_its_middle() -> None:
    assert shorten(ARN, 24) == "arn:aws:ela...3427de8b119a"[:11] + "..." + ARN[-10:]
    assert len(shorten(ARN, 24)) == 24
    assert shorten("short", 24) == "short"


@pytest.mark.parametrize("copied", [ARN, "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarms"])
def test_what_people_copy_stays_whole(copied: str) -> None:
    assert fit_line(f"Protected: {copied}.", 30).split("\n") == ["Protected:", f"    {copied}."]
    assert max(map(len, fit_line(f"  - {copied}", 30, shortens_ids=True).split("\n"))) <= 30


def test_a_table_shortens_its_last_column_first() -> None:
    rows = [("alb", "LoadBalancer", ARN), ("vpc", "Vpc", "vpc-1")]

    lines = table_lines(rows, ("node", "kind", "id"), 60, {"id": 10})

    assert max(map(len, lines)) <= 60
    assert lines[1].startswith("alb   LoadBalancer  arn:aws:")
    assert table_lines(rows, ("node", "kind", "id"))[1].endswith(ARN)


@pytest.mark.parametrize(
    ("width", "cells"),
    [
        (70, ("b" * 30, "profi...tion")),
        (55, ("bbbbbb...bbbbbb", "profi...tion")),
    ],
)
def test_columns_give_way_in_the_order_given_and_others_never(width: int, cells: tuple[str, str]) -> None:
    rows = [("a-long-name-of-a-setting", "b" * 30, "profile production")]

    lines = table_lines(rows, ("setting", "value", "from"), width, {"from": 12, "value": 10})

    assert tuple(lines[1].split("  ")) == ("a-long-name-of-a-setting", *cells)


def test_a_table_that_cannot_be_narrower_continues_its_rows() -> None:
    rows = [("20260101T000000.000Z", "apply --local --yes", "ok"), ("20260102T000000.000Z", "", "ok")]

    assert table_lines(rows, ("run", "typed", "result"), 31) == [
        "run",
        "    typed                result",
        "20260101T000000.000Z",
        "    apply --local --yes  ok",
        "20260102T000000.000Z",
        "                         ok",
    ]


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("status", "--resources"),
        ("status", "--cached", "--resources"),
        ("plan", "--set", "container.port=9090", "--set", "service.maximum=12"),
        ("drift",),
        ("doctor",),
        ("timeline",),
        ("list",),
        ("config", "show"),
        ("history",),
        ("teardown", "--dry-run"),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_no_row_of_a_screen_is_wrapped(live_stack: LiveStack, columns: int, command: tuple[str, ...]) -> None:
    named = ("--suffix", SUFFIX) if command[0] not in ("list", "config") else ()
    local = () if command[0] in ("list", "config") else ("--local",)

    screen = screen_of([*command, *named, *local], columns, home=live_stack.desk.home)

    assert len(screen) > 2
    assert [row for row in screen if len(row) > columns] == []


def test_names_that_are_typed_back_stay_whole(live_stack: LiveStack) -> None:
    """Of resources and their types, of settings and runs, on a terminal of 80 columns."""
    home = live_stack.desk.home
    resources = screen_of(["status", "--suffix", SUFFIX, "--local", "--resources"], 80, home)
    settings = screen_of(["config", "show"], 80, home)
    runs = screen_of(["history", "--local"], 80, home)
    (run,) = live_stack.desk.well("history", "--suffix", SUFFIX, "--json").lines[0]["runs"][:1]

    assert {"sg-tasks-no-default-egress", "DBClusterParameterGroup"} <= {
        word for row in resources for word in row.split()
    }
    assert [row.split()[0] for row in settings if row][1:] == list(setting_schemas())
    assert any(row.startswith("network.zones  ") and "  3 zones  " in row for row in settings)
    assert run["run"] in {row.split()[0] for row in runs if row}
    assert shlex.join(run["arguments"]) in {row.strip() for row in runs}


def test_what_a_teardown_deletes_has_a_line_each_or_two(live_stack: LiveStack) -> None:
    listed = screen_of(["teardown", "--suffix", SUFFIX, "--local", "--dry-run"], 80, live_stack.desk.home)

    assert any(row.startswith("      arn:aws:elasticloadbalancing:") and "..." in row for row in listed)
