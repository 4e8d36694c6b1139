"""A service of which nothing would ever start a task is told in each plan, with what to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.user import User

NAMED = ("--suffix", "a")
MAIN = ("--set", "service.minimum=0")
OTHER = ("--set", 'api.services={"second":{"prefixes":["/api/v4/*"],"minimum":0}}')


@pytest.mark.parametrize(
    ("sets", "name"),
    [(MAIN, "service.minimum"), (OTHER, "api.services.second.minimum")],
    ids=["the main one", "another one"],
)
def test_a_least_number_of_zero_is_told_with_what_to_set(
    user: User, tmp_path: Path, sets: tuple[str, ...], name: str
) -> None:
    page = tmp_path / "plan.md"
    said = f"{name}=0: the service starts at 0 tasks"

    plain = user.well("plan", *NAMED, *sets, "--markdown", str(page))
    (record,) = user.well("plan", *NAMED, *sets, "--json").lines

    assert said in plain.out
    assert "1000 requests a minute per task" in plain.out
    assert f"Set {name}=1 or more." in plain.out
    assert [note for note in record["notes"] if note.startswith(said)]
    assert "the service starts at 0 tasks" in page.read_text()


def test_a_least_number_of_one_is_taken_without_a_word(user: User) -> None:
    (record,) = user.well("plan", *NAMED, "--set", "service.minimum=1", "--json").lines

    assert record["notes"] == []
