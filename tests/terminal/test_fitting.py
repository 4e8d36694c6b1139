"""Lines and tables are as wide as the terminal at most; no word is cut, and an id loses its middle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.terminal.console import trusted_sequence
from provisioner.terminal.fitting import fit_line, shorten, shorten_end, visible_length

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

    assert max(map(len, parts)) <= max(width, *map(len, words))
    assert " ".join(parts).split() == words


def test_a_command_stays_whole() -> None:
    line = "Look at it: `python cli.py status --suffix prod --region eu-west-1`."

    assert fit_line(line, 30).split("\n") == [
        "Look at it:",
        "`python cli.py status --suffix prod --region eu-west-1`.",
    ]


def test_a_number_stays_with_its_unit() -> None:
    assert fit_line("Critical path (vpc 0.1 s > alb 12.5 s), 274 calls.", 36).split("\n") == [
        "Critical path (vpc 0.1 s > alb",
        "    12.5 s), 274 calls.",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is", "as it is"),
        ("The request failed because of its preconditions", "The request failed because of …"),
        (ARN, f"{ARN[:15]}...{ARN[-14:]}"),
    ],
)
def test_a_sentence_that_is_too_long_ends_between_two_words(text: str, shown: str) -> None:
    assert shorten_end(text, 32) == shown


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
    assert fit_line(f"Protected: {copied}.", 30).split("\n") == ["Protected:", f"{copied}."]
    assert fit_line(f"Protected: {copied}.", len(copied) + 3).split("\n") == ["Protected:", f"  {copied}."]
    assert max(map(len, fit_line(f"  - {copied}", 30, shortens_ids=True).split("\n"))) <= 30
