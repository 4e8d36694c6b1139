"""A life on an account with an organisation, security tools and contracts: told before the first deletion."""

from __future__ import annotations

import pytest

from provisioner.embedded.server import EmbeddedAws
from tests.harness import Desk
from tests.inventory import client


@pytest.fixture
def strict(desk: Desk) -> Desk:
    """A user before an empty strict account."""
    desk.box.behave(manners=True, pace=0.0, account="strict")
    return desk


def protected_groups(box: EmbeddedAws) -> set[str]:
    """The log groups that AWS would not delete."""
    listed = client(box.endpoint, "logs").describe_log_groups()["logGroups"]
    return {one["logGroupName"] for one in listed if one["deletionProtectionEnabled"]}


def test_protected_log_groups_are_told_before_the_first_deletion_and_unprotect_covers_them(
    desk: Desk,
) -> None:
    """The organisation turned it on after the stack was made."""
    desk.apply("a")
    logs = client(desk.box.endpoint, "logs")
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    for name in groups:
        logs.put_log_group_deletion_protection(logGroupIdentifier=name, deletionProtectionEnabled=True)
    assert desk.plan("a") == "No changes.\n"
    before = desk.mark()

    for command in (["teardown", "--yes"], ["plan", "--destroy"]):
        ran = desk.run(*command, "--suffix", "a")
        assert ran.code == 5, ran.err
        assert "protected against deletion" in ran.err
        assert "--unprotect" in ran.err
    assert desk.tries(before) == []

    desk.teardown("a", "--unprotect")
    left = {one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]}
    assert left & set(groups) == set()


def test_groups_of_a_strict_account_are_born_protected_and_its_plans_are_silent(strict: Desk) -> None:
    strict.apply("a")

    assert protected_groups(strict.box)
    assert strict.plan("a") == "No changes.\n"
