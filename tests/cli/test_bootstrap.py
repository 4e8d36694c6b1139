"""A pipeline's role: printed first, made when asked for, open to one branch or environment alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.errors import UsageError
from provisioner.permissions.pipeline import Pipeline, check_trust
from tests.support.account_inventory import client
from tests.support.user import User

ASKED = ("bootstrap", "--suffix", "prod", "--repo", "acme/ml-api")
DOCUMENT = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
ARN = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def made(user: User, *more: str) -> dict[str, Any]:
    return user.well(*ASKED, "--branch", "main", "--yes", "--json", *more).lines[0]


@pytest.fixture
def prompt(user: User) -> User:
    """A desk before an AWS that hides nothing that is new."""
    user.box.behave(behaviours=False, speed=0.0)
    return user


def test_without_yes_it_only_prints_and_calls_nothing(user: User) -> None:
    printed = user.well(*ASKED, "--environment", "production", "--json").lines[0]

    wanted = printed["trust"]["Statement"][0]["Condition"]["StringEquals"]
    assert wanted == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:acme/ml-api:environment:production",
    }
    assert printed["made"] is False
    assert user.mark() == 0


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--branch", "*"],
        ["--branch", "release/*"],
        ["--branch", "main?"],
        ["--branch", "main", "--environment", "production"],
        ["--environment", "${x}"],
        ["--branch", "main", "--audience", ""],
        ["--branch", "main", "--audience", "*"],
        ["--branch", "main", "--repo", "acme/*"],
        ["--branch", "main", "--repo", "acme"],
        ["--branch", "main", "--repo", "acme@1/ml-api"],
        ["--pull-request"],
        ["--pull-request", "--for", "apply"],
        ["--pull-request", "--for", "plan", "--branch", "main"],
    ],
    ids=" ".join,
)
def test_what_would_let_others_in_is_refused(user: User, more: list[str]) -> None:
    ran = user.run(*ASKED, *more)

    assert ran.code == 64
    assert user.mark() == 0


@pytest.mark.parametrize("operator", ["StringLike", "StringEqualsIgnoreCase", "ForAnyValue:StringEquals"])
def test_a_trust_that_asks_for_less_than_one_exact_run_is_refused(operator: str) -> None:
    trust = Pipeline("acme/ml-api", branch="main").trust_policy("aws", "123456789012")
    wanted = trust["Statement"][0]["Condition"].pop("StringEquals")
    trust["Statement"][0]["Condition"] = {operator: wanted}

    with pytest.raises(UsageError):
        check_trust(trust)


def test_the_role_is_made_once_and_brought_up_to_date_later(prompt: User) -> None:
    told = made(prompt)
    iam = client(prompt.box.endpoint, "iam")
    role = iam.get_role(RoleName=told["role"])["Role"]
    attached = iam.list_attached_role_policies(RoleName=told["role"])["AttachedPolicies"]

    assert role["AssumeRolePolicyDocument"] == told["trust"]
    assert {one["PolicyName"] for one in attached} == told["policies"].keys()
    before = prompt.mark()
    made(prompt)
    assert prompt.acts(before) == []
    made(prompt, "--for", "plan")
    assert len(iam.list_attached_role_policies(RoleName=told["role"])["AttachedPolicies"]) == 1


def test_the_boundary_is_made_by_who_may_and_apply_takes_it_for_its_own(user: User) -> None:
    told = made(user, "--set", "profile=production")
    iam = client(user.box.endpoint, "iam")
    [name] = told["boundaries"]
    arn = f"arn:aws:iam::123456789012:policy/{name}"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]

    planned = user.well("plan", "--suffix", "prod", "--set", "profile=production").out

    held = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert held == told["boundaries"][name]
    assert "+ vpc/vpc" in planned
    assert "= boundary/boundary" in planned


@pytest.mark.slow
def test_what_an_earlier_one_attached_goes_and_is_deleted_where_it_is_ours(prompt: User) -> None:
    told, iam = made(prompt), client(prompt.box.endpoint, "iam")
    other = iam.create_policy(PolicyName="theirs", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=told["role"], PolicyArn=other)

    fewer = made(prompt, "--for", "plan")

    listed = {one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]}
    assert len(fewer["policies"]) < len(told["policies"])
    assert listed == {"theirs", *fewer["policies"], *fewer["boundaries"]}


EACH = [(fault, at) for fault in ("lost_reply", "expired") for at in range(1, 7)]


@pytest.mark.parametrize(
    ("fault", "at"),
    [one if one[1] in (1, 5) else pytest.param(*one, marks=pytest.mark.slow) for one in EACH],
)
def test_what_was_left_half_done_is_taken_up(user: User, fault: str, at: int) -> None:
    times = 1 if fault == "lost_reply" else 1000
    user.box.emulator.faults.replace([{"fault": fault, "at": at, "times": times}])
    more = ("--for", "plan", "--set", "profile=production")
    ran = user.run(*ASKED, "--branch", "main", "--yes", *more)
    user.box.emulator.faults.replace([])

    assert (ran.code == 0) == (fault == "lost_reply")
    told, before = made(user, *more), user.mark()
    made(user, *more)

    assert user.tries(before) == []
    iam = client(user.box.endpoint, "iam")
    attached = iam.list_attached_role_policies(RoleName=told["role"])["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == told["policies"].keys()
    assert len(iam.list_policies(Scope="Local")["Policies"]) == len(attached) + len(told["boundaries"])


def test_a_provider_that_stands_is_used_and_one_that_takes_another_audience_is_left_alone(
    prompt: User,
) -> None:
    iam = client(prompt.box.endpoint, "iam")
    url = "https://token.actions.githubusercontent.com"
    iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])
    before = prompt.mark()

    made(prompt)

    assert "iam:CreateOpenIDConnectProvider" not in prompt.acts(before)
    ran = prompt.run(*ASKED, "--branch", "main", "--audience", "other", "--yes")
    assert ran.code == 5
    assert "add-client-id" in ran.err
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ARN)["ClientIDList"] == ["sts.amazonaws.com"]


def test_somebody_elses_role_of_that_name_is_refused(prompt: User) -> None:
    iam = client(prompt.box.endpoint, "iam")
    iam.create_role(
        RoleName="ml-api-pipeline-prod",
        AssumeRolePolicyDocument='{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "x"}]}',
    )

    assert prompt.run(*ASKED, "--branch", "main", "--yes").code == 5


def test_a_pull_request_has_a_role_of_its_own_that_changes_nothing(prompt: User) -> None:
    asked = ("--pull-request", "--for", "plan", "--repo", "acme@1/ml-api@23", "--yes", "--json")
    (told,) = prompt.well("bootstrap", "--suffix", "prod", *asked).lines

    role = client(prompt.box.endpoint, "iam").get_role(RoleName="ml-api-pr-pipeline-prod")["Role"]
    wanted = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
    assert wanted["token.actions.githubusercontent.com:sub"] == "repo:acme@1/ml-api@23:pull_request"
    allowed = [action for one in statements(told) for action in one["Action"]]
    verbs = {action.partition(":")[2] for action in allowed}
    assert not [verb for verb in verbs if verb.startswith(("Create", "Delete", "Put", "Update", "Modify"))]


def test_who_applies_and_who_tears_down_can_be_two(prompt: User) -> None:
    made(prompt, "--for", "apply")

    assert made(prompt, "--for", "teardown")["role"] == "ml-api-teardown-pipeline-prod"

    iam = client(prompt.box.endpoint, "iam")
    attached = iam.list_attached_role_policies(RoleName="ml-api-pipeline-prod")["AttachedPolicies"]
    documents = [iam.get_policy_version(PolicyArn=one["PolicyArn"], VersionId="v1") for one in attached]
    assert "ecs:CreateService" in str(documents)


def test_drift_has_a_role_of_its_own_that_changes_nothing(prompt: User) -> None:
    iam = client(prompt.box.endpoint, "iam")
    prompt.well(*ASKED, "--environment", "production", "--yes")
    before = iam.list_attached_role_policies(RoleName="ml-api-pipeline-prod")["AttachedPolicies"]

    (told,) = prompt.well(*ASKED, "--branch", "main", "--for", "drift", "--yes", "--json").lines

    assert told["role"] == "ml-api-drift-pipeline-prod"
    allowed = {action.partition(":")[2] for one in statements(told) for action in one["Action"]}
    assert {re.match("[A-Z][a-z]+", verb)[0] for verb in allowed} <= {"Describe", "Get", "List", "Batch"}  # type: ignore[index]
    assert iam.list_attached_role_policies(RoleName="ml-api-pipeline-prod")["AttachedPolicies"] == before
    role = iam.get_role(RoleName=told["role"])["Role"]
    assert "ref:refs/heads/main" in str(role["AssumeRolePolicyDocument"])


@pytest.mark.parametrize(
    ("purpose", "actions"),
    [
        ("drift", ["s3:GetObject"]),
        ("plan", ["s3:GetObject"]),
        ("all", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]),
    ],
)
def test_the_rights_on_a_state_in_s3_are_in_it(user: User, purpose: str, actions: list[str]) -> None:
    user.environment["MLAPI_STATE"] = "s3://team-state/ml"
    user.well("state", "init", "--yes")

    (told,) = user.well(*ASKED, "--branch", "main", "--for", purpose, "--json").lines

    of_state = {one["Sid"]: one for one in statements(told) if one.get("Sid", "").startswith("State")}
    listed = of_state.pop("StateList")
    (kept,) = of_state.values()
    assert listed["Resource"] == ["arn:aws:s3:::team-state"]
    assert (kept["Action"], kept["Resource"]) == (actions, ["arn:aws:s3:::team-state/ml/*"])


def statements(told: dict[str, Any]) -> list[dict[str, Any]]:
    """All statements of all policies."""
    return [one for policy in told["policies"].values() for one in policy["Statement"]]
