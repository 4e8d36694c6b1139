"""What can be gone back to: what `deploy` shipped, what an `apply` replaced; it goes with the stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.commands.service_releases import missing_revisions, previous_good_release
from provisioner.resources.ecs.revisions import differing_paths
from provisioner.terminal.service_tables import Release
from tests.support.account_inventory import client
from tests.support.live_stack import SUFFIX
from tests.support.user import User

LARGER = ("--set", "container.memory=4096")
WORKER = ("--set", 'api.services={"worker": {"prefixes": ["/work/*"]}}')


@pytest.mark.parametrize(
    ("known", "gone"), [([], []), ([3], []), ([3, 2, 1], []), ([7, 4, 2], [3, 5, 6]), ([2, 7, 4], [3, 5, 6])]
)
def test_what_is_missing_lies_between_what_is_known(known: list[int], gone: list[int]) -> None:
    assert missing_revisions(known) == gone


def test_what_two_revisions_differ_in_besides_the_image() -> None:
    api, more = {"name": "api", "image": "a:1"}, {"name": "more", "image": "m:1"}
    one = {"memory": "512", "containerDefinitions": [api, more]}
    other = {"memory": "1024", "containerDefinitions": [{**api, "image": "a:2"}, {**more, "image": "m:2"}]}

    assert differing_paths("api", one, one) == []
    assert differing_paths("api", one, other) == ["containerDefinitions.more.image", "memory"]


def release(revision: int, started_at: float, *, is_good: bool = True) -> Release:
    """A revision whose last deployment began then."""
    result = "ok" if is_good else "rolled back"
    return Release(revision, f"f:{revision}", "image", started_at, "", result, is_running=False, has_succeeded=is_good)


@pytest.mark.parametrize(
    ("known", "target"),
    [
        ([release(4, 40), release(3, 30, is_good=False), release(2, 20), release(1, 10)], 2),
        # From 3 back to 2, then another deploy: 3 is what the rollback left.
        ([release(4, 40), release(3, 30), release(2, 35), release(1, 10)], 2),
        ([release(4, 40), release(3, 30, is_good=False)], None),
    ],
)
def test_a_rollback_goes_to_the_good_revision_that_ran_last(known: list[Release], target: int | None) -> None:
    chosen = previous_good_release(known, 4)

    assert (chosen and chosen.revision) == target


def revisions(user: User) -> list[str]:
    """Every revision of any task that AWS holds."""
    ecs = client(user.box.endpoint, "ecs")
    listed = (ecs.list_task_definitions(status=one)["taskDefinitionArns"] for one in ("ACTIVE", "INACTIVE"))
    return [arn.rpartition("/")[2] for arns in listed for arn in arns]


@pytest.mark.slow
def test_a_rollback_leads_behind_an_apply_and_a_teardown_takes_every_revision(user: User) -> None:
    user.apply(SUFFIX)
    planned = user.plan(SUFFIX, *LARGER)
    assert "  + ecs/task: TaskDefinition" in planned
    assert "the one before is kept for `rollback`" in planned
    assert "Plan: 1 to add, 1 to change, 0 to destroy." in planned
    user.apply(SUFFIX, *LARGER)

    ran = user.well("rollback", "--yes", "--no-smoke", "--suffix", SUFFIX)

    assert "(revision 1)" in ran.out
    assert "      besides: memory; the next `apply` brings" in ran.err
    told = user.well("releases", "--suffix", SUFFIX, "--json").lines[0]["releases"]
    assert [(one["revision"], one["result"], one["runs"]) for one in told] == [
        (2, "ok", False),
        (1, "ok", True),
    ]
    assert user.plan(SUFFIX) == "No changes.\n"
    assert len(revisions(user)) == 2
    user.teardown(SUFFIX)
    assert revisions(user) == []


@pytest.mark.slow
def test_what_deploy_and_apply_made_can_be_gone_back_to_alike(user: User) -> None:
    user.apply(SUFFIX)
    user.well("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--image", "one:1")
    user.well("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--image", "two:1")
    user.apply(SUFFIX, *LARGER)

    told = user.well("releases", "--suffix", SUFFIX)
    listed = [line.replace("*", " ").split()[0] for line in told.out.splitlines()[1:]]
    assert listed == ["4", "3", "2", "1"]
    assert "two:1 (revision 3)" in user.well("rollback", "--yes", "--no-smoke", "--suffix", SUFFIX).out
    assert "one:1 (revision 2)" in user.well("rollback", "--yes", "--no-smoke", "--suffix", SUFFIX, "--to", "2").out
    arn = f"ml-api-taskdef-{SUFFIX}:3"
    client(user.box.endpoint, "ecs").deregister_task_definition(taskDefinition=arn)
    assert "Not there any more: 3." in user.well("releases", "--suffix", SUFFIX).err


@pytest.mark.slow
@pytest.mark.parametrize("knows", [True, False], ids=["known", "ledger lost"])
def test_the_revisions_of_a_service_that_is_declared_no_longer_go_with_the_stack(
    user: User, tmp_path: Path, *, knows: bool
) -> None:
    user.apply(SUFFIX, *WORKER)
    ship = ("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--service", "worker")
    user.well(*ship, "--image", "one:1")
    user.well(*ship, "--image", "two:1")
    back = user.well("rollback", "--yes", "--no-smoke", "--suffix", SUFFIX, "--service", "worker")
    assert f"rollback --to 3 --service worker --suffix {SUFFIX} --local` brings back revision 3" in back.err
    user.apply(SUFFIX)
    assert len(revisions(user)) > 1
    (told,) = user.well("policy", "--for", "teardown", "--suffix", SUFFIX, "--json", *WORKER).lines

    who = user if knows else user.elsewhere(tmp_path / "another")
    user.box.authorise(*told["policies"])
    try:
        who.teardown(SUFFIX)
    finally:
        user.box.authorise()

    assert revisions(user) == []


@pytest.mark.slow
def test_where_there_is_nothing_to_go_back_to_it_is_said(user: User) -> None:
    user.apply(SUFFIX)

    ran = user.run("rollback", "--yes", "--suffix", SUFFIX)

    assert ran.code == 5
    assert "There is no good revision of ml-api-service-prod before 1 to go back to." in ran.err
    assert f"`python cli.py deploy --image REF --suffix {SUFFIX} --local` ships another image" in ran.err
