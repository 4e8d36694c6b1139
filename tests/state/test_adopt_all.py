"""A ledger that is damaged, foreign or of another version is refused; `--adopt-all` rebuilds it from AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner import __version__
from provisioner.emulator.server import LocalAws
from tests.support.account_inventory import inventory
from tests.support.user import User

SUFFIX = "prod"


@pytest.fixture(scope="module")
def up(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A stack whose ledger each test may spoil: what stands is not touched."""
    user = User.before(served, tmp_path_factory.mktemp("adopt") / "home")
    user.apply(SUFFIX)
    return user


def spoiled(user: User, how: str) -> bytes:
    """The ledger, in one of the ways in which it cannot be used."""
    whole = json.loads(user.ledger(SUFFIX).read_text())
    if how == "of a later kind":
        whole["entries"]["hologram"] = {**whole["entries"]["vpc"], "kind": "Hologram"}
    if how == "of a later schema":
        whole["schema"] = 99
    text = json.dumps({**whole, "writer": "ml-api-provisioner 9.9"}).encode()
    return text[:-300] if how == "cut short" else b"null" if how == "foreign" else text


WAYS = ["cut short", "foreign", "of a later kind", "of a later schema"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["teardown", "--yes"]])
def test_a_ledger_that_cannot_be_used_stops_every_command_with_what_to_do(
    up: User, how: str, command: list[str]
) -> None:
    whole = up.ledger(SUFFIX).read_bytes()
    text = spoiled(up, how)
    up.ledger(SUFFIX).write_bytes(text)
    before = up.mark()
    try:
        ran = up.run(*command, "--suffix", SUFFIX)

        assert ran.code == 1
        assert str(up.ledger(SUFFIX)) in ran.err
        assert {
            "of a later kind": "hologram (Hologram)",
            "of a later schema": "schema 99",
        }.get(how, "--adopt-all") in ran.err
        assert up.acts(before) == []
        assert up.ledger(SUFFIX).read_bytes() == text
    finally:
        up.ledger(SUFFIX).write_bytes(whole)


@pytest.mark.parametrize("how", ["cut short", "of a later kind"])
def test_adopt_all_puts_it_aside_and_finds_everything_again(up: User, how: str) -> None:
    stood = inventory(up.box.endpoint)
    known = {name: one["id"] for name, one in up.known(SUFFIX)["entries"].items()}
    text = spoiled(up, how)
    up.ledger(SUFFIX).write_bytes(text)
    before = up.mark()

    up.well("apply", "--yes", "--suffix", SUFFIX, "--adopt-all")

    assert up.acts(before) == []
    assert inventory(up.box.endpoint) == stood
    assert {name: one["id"] for name, one in up.known(SUFFIX)["entries"].items()} == known
    assert up.known(SUFFIX)["writer"] == f"ml-api-provisioner {__version__}"
    assert up.plan(SUFFIX) == "No changes.\n"
    aside = list(up.ledger(SUFFIX).parent.glob("prod.json.aside-*"))
    assert text in [path.read_bytes() for path in aside]
    for path in aside:
        path.unlink()


def test_a_good_ledger_is_left_alone_and_drafts_of_killed_runs_go(up: User) -> None:
    lineage, folder = up.known(SUFFIX)["lineage"], up.ledger(SUFFIX).parent
    draft, other = folder / ".prod.json.k1ll3d.draft", folder / ".prod-2.json.k1ll3d.draft"
    for path in (draft, other):
        path.write_text("half a ledg")

    up.well("apply", "--yes", "--suffix", SUFFIX, "--adopt-all")

    assert up.known(SUFFIX)["lineage"] == lineage
    assert list(folder.glob("prod.json.aside-*")) == []
    assert (draft.exists(), other.exists()) == (False, True)
    other.unlink()


@pytest.mark.slow
def test_list_names_a_damaged_ledger_and_shows_the_others(up: User, tmp_path: Path) -> None:
    broken = up.ledger("broken")
    broken.write_text("{")
    try:
        ran = up.run("list", local=False)
        listed = up.run("list", "--json", local=False)
    finally:
        broken.unlink()

    assert ran.code == listed.code == 1
    assert ran.out.splitlines()[1].split()[:2] == ["prod", "embedded"]
    assert str(broken) in ran.err
    (record,) = listed.lines
    entries = up.known(SUFFIX)["entries"].values()
    # The roles that ECS and others share in an account are nobody's stack.
    ours = sum(one["kind"] != "ServiceLinkedRole" for one in entries)
    assert record["stacks"][0]["resources"] == ours
    assert str(broken) in record["damaged"][0]
