"""Commands beside plan, apply, status and teardown: each goes well under exactly its own policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.commands.operator_policy import PolicyScope, policies_for
from provisioner.configuration import load_settings
from provisioner.emulator.server import LocalAws
from provisioner.iam import reference
from provisioner.iam.evaluator import Request, Verdict, verdict
from provisioner.permissions import COMMAND_NAMES
from provisioner.permissions.commands import COMMAND_PERMISSIONS
from provisioner.workspace import Workspace
from tests.permissions.test_policies import ACCOUNT, SPARE, SUFFIX, Policy, statements, without
from tests.support.user import User

SETTINGS = ("profile=production", "encryption.key=own")
FULL = tuple(word for one in SETTINGS for word in ("--set", one))
# What is typed under each policy, in the order in which one stack lives through it.
TYPED = [
    ("drift", ["drift", *FULL]),
    ("rotate-origin-secret", ["rotate-origin-secret", "--yes", *FULL]),
    ("bootstrap", ["bootstrap", "--yes", "--repo", "a/b", "--branch", "main", "--for", "plan", *FULL]),
    ("deploy", ["deploy", "--image", "mine.example/api:2", "--yes", "--no-smoke", *FULL]),
    ("deploy", ["releases"]),
    ("deploy", ["rollback", "--yes", "--no-smoke", *FULL]),
    ("deploy", ["restart", "--yes", "--no-smoke", *FULL]),
    ("deploy", ["scale", "--min", "3", "--yes", *FULL]),
    ("verify-gone", ["verify-gone"]),
]
COMMANDS = dict.fromkeys(purpose for purpose, _ in TYPED)
# Asked where there is no ledger yet, and where ECS leads requests over (test_native_strategies.py).
UNMET = {
    # Which engine versions there are is asked for while a new stack chooses one.
    "RdsReadAll",
    # `verify-gone` reads parts only of what is still there: attributes of a VPC, targets of a rule, a parameter group.
    *("Ec2DescribeVpcAttribute", "EventsRead", "RdsRead2"),
}


def policies(user: User, purpose: str) -> list[Policy]:
    asked = ("--suffix", SUFFIX, "--expect-account", ACCOUNT, "--json", *FULL)
    return list(user.well("policy", "--for", purpose, *asked).lines[0]["policies"])


@pytest.fixture(scope="module")
def lived(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Policy], list[Request]]]:
    """Each command's policy, and what it asked of IAM when it was run under it."""
    user = User.before(served, tmp_path_factory.mktemp("commands") / "home")
    user.well("apply", "--yes", "--suffix", SUFFIX, *FULL)
    told: dict[str, Any] = {}
    for purpose, typed in TYPED:
        given = policies(user, purpose)
        if purpose == "verify-gone":
            user.teardown(SUFFIX, "--unprotect")
        served.authorise(*given)
        try:
            authorizer = served.emulator.authoriser
            assert authorizer
            ran = user.run(typed[0], "--local", "--suffix", SUFFIX, *typed[1:], local=False)
            asked = [*told.get(purpose, (given, []))[1], *authorizer.decided_requests]
            told[purpose] = (given, asked)
        finally:
            served.authorise()
        assert ran.code == 0, f"{purpose}: {ran.err}"
    return told


def test_what_can_be_asked_for_is_what_is_known() -> None:
    assert tuple(COMMAND_PERMISSIONS) == COMMAND_NAMES


@pytest.mark.slow
@pytest.mark.parametrize("purpose", COMMANDS)
def test_with_exactly_its_policy_a_command_goes_well(lived: Any, purpose: str) -> None:
    given, asked = lived[purpose]

    assert asked
    assert all(verdict(given, one) is Verdict.ALLOWED for one in asked)


@pytest.mark.parametrize("purpose", COMMAND_NAMES)
def test_who_may_only_look_can_change_nothing(purpose: str) -> None:
    """IAM calls Decrypt a write: it opens the origin key, and changes nothing."""
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, SETTINGS, {}), "us-east-1", ACCOUNT)
    given = statements(policies_for(scope, purpose))
    allowed = {name for one in given if one["Effect"] == "Allow" for name in one["Action"]}
    changes = {name for name in allowed if not reference.require_action(name).only_reads} - {"kms:Decrypt"}

    assert allowed
    if purpose not in ("exec", "bootstrap"):
        assert bool(changes) == COMMAND_PERMISSIONS[purpose].changes_state


@pytest.mark.slow
@pytest.mark.parametrize("purpose", [one for one in COMMANDS if one != "deploy"])
def test_without_a_statement_it_would_be_refused(lived: Any, purpose: str) -> None:
    """What `deploy` needs depends on the image and on how the rollout ends."""
    given, asked = lived[purpose]
    idle = [
        one["Sid"]
        for one in statements(given)
        if one["Effect"] == "Allow"
        and all(verdict(without(given, one["Sid"]), request) is Verdict.ALLOWED for request in asked)
        and not set(one["Action"]) <= SPARE
    ]

    assert set(idle) <= UNMET


@pytest.mark.slow
def test_a_change_of_the_key_without_a_statement_ends_with_the_action_named(user: User) -> None:
    user.well("apply", "--yes", "--suffix", SUFFIX, *FULL)
    given = policies(user, "rotate-origin-secret")
    sid = next(one["Sid"] for one in statements(given) if "secretsmanager:PutSecretValue" in one["Action"])
    user.box.authorise(*without(given, sid))
    try:
        ran = user.run("rotate-origin-secret", "--yes", "--suffix", SUFFIX, *FULL)
    finally:
        user.box.authorise()

    assert ran.code != 0
    assert "not authorized to perform: secretsmanager:" in ran.err


@pytest.mark.slow
def test_the_policy_of_new_settings_is_enough_to_let_go_of_what_the_former_ones_made(user: User) -> None:
    second = '{"second": {"prefixes": ["/api/v1/deep/*"]}}'
    image = ("--set", "image=mine.example/api:1")
    user.apply("a", *image, "--set", f"api.services={second}")
    changed = (*image, "--set", "container.health_path=/ready")
    asked = ("--suffix", "a", "--expect-account", ACCOUNT, "--json", *changed)
    given = user.well("policy", "--for", "apply", *asked).lines[0]["policies"]

    user.box.authorise(*given)
    ran = user.run("apply", "--yes", "--suffix", "a", *changed)
    user.box.authorise()

    assert ran.code == 0, ran.err
    assert user.plan("a", *changed) == "No changes.\n"


def test_the_policies_are_one_json_array_or_a_file_each(user: User, tmp_path: Path) -> None:
    asked = ("policy", "--suffix", "x", "--expect-account", "123456789012", "--for")

    listed = json.loads(user.well(*asked, "apply").out)
    written = user.well(*asked, "apply", "--out", str(tmp_path / "new")).out.split()

    assert len(listed) > 1
    assert [json.loads(Path(one).read_text()) for one in written] == listed
    assert isinstance(json.loads(user.well(*asked, "status").out), list)


def test_a_partition_that_a_plan_refuses_gets_no_policy(user: User) -> None:
    refused = [
        user.run(command, "--suffix", "x", "--region", "cn-north-1", *more)
        for command, *more in (("policy",), ("plan",), ("plan", "--offline"), ("graph",))
    ]

    assert {one.code for one in refused} == {64}
    assert all("partition aws-cn" in one.err and not one.out for one in refused)
