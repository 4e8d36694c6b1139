"""Lines and tables are as wide as the terminal at most; no word is cut, and an id loses its middle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_a_table_shortens_its_last_column_first() -> None:
    rows = [("alb", "LoadBalancer", ARN), ("vpc", "Vpc", "vpc-1")]

    lines = table_lines(rows, ("node", "kind", "id"), 60)

    assert max(map(len, lines)) <= 60
    assert lines[1].startswith("alb   LoadBalancer  arn:aws:")
    assert table_lines(rows, ("node", "kind", "id"))[1].endswith(ARN)


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
