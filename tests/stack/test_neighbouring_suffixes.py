"""Stacks whose suffixes begin or end alike live side by side, and each goes alone."""

from __future__ import annotations

import re

import pytest

from tests.support.account_inventory import client, inventory
from tests.support.user import User

Held = dict[tuple[str, str], str]


def held(user: User) -> Held:
    """All that AWS holds, flat; the snapshots that RDS takes by itself left out."""
    return {
        (type_name, key): line
        for type_name, docs in inventory(user.box.endpoint).items()
        for key, line in docs.items()
        if not key.startswith("rds:")
    }


def test_the_snapshots_of_a_neighbour_stay(user: User) -> None:
    user.box.behave(behaviours=False, speed=0.0)
    rds = client(user.box.endpoint, "rds")
    for name in ("ml-api-aurora-b", "ml-api-aurora-b-2"):
        rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            MasterUsername="them",
            MasterUserPassword="not-ours-at-all",
        )

    rds.delete_db_cluster(DBClusterIdentifier="ml-api-aurora-b", SkipFinalSnapshot=True)

    snapshots = inventory(user.box.endpoint)["db snapshot"]
    assert [name for name in snapshots if name.startswith("rds:ml-api-aurora-b-2-")]


@pytest.mark.parametrize(
    ("born", "ended"),
    [
        (("b", "b-2"), ("b", "b-2")),
        pytest.param(("a", "b", "a-b", "b-2"), ("b", "a-b", "a", "b-2"), marks=pytest.mark.slow),
    ],
)
def test_each_comes_and_goes_alone(user: User, born: tuple[str, ...], ended: tuple[str, ...]) -> None:
    empty = held(user)
    so_far, of = empty, {}
    for suffix in born:
        user.apply(suffix)
        now = held(user)
        assert {key: now.get(key) for key in so_far} == so_far
        of[suffix] = now.keys() - so_far.keys()
        so_far = now
    assert len({len(keys) for keys in of.values()}) == 1

    for suffix in ended:
        user.teardown(suffix)
        so_far = {key: line for key, line in so_far.items() if key not in of[suffix]}
        assert held(user) == so_far
    assert so_far == empty


@pytest.mark.slow
def test_a_plan_of_all_and_a_list_name_every_stack(user: User) -> None:
    for suffix in ("a", "a-b"):
        user.apply(suffix)

    assert user.well("plan", "--all").out == "a:\nNo changes.\na-b:\nNo changes.\n"
    listed = user.run("list", local=False).out.splitlines()
    assert [line.split()[0] for line in listed] == ["suffix", "a", "a-b"]
    assert user.run("status").code == 64
    assert "a, a-b" in user.run("status").err
    both = user.run("status", "--all")
    assert both.code == 0
    assert re.search(r" ml-api-aurora-a$", both.out, re.MULTILINE)
    assert re.search(r" ml-api-aurora-a-b$", both.out, re.MULTILINE)
