"""Hints of the commands, of the state and of what AWS is asked: each beside a way that leads to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from provisioner.bucket.calls import call_with_retries
from provisioner.commands import teardown_plan
from provisioner.commands.context import load_saved_plan
from provisioner.commands.hints import complete_hint
from provisioner.commands.main import cli
from provisioner.commands.saved_plan import SavedPlan
from provisioner.commands.service_controller import ServiceController
from provisioner.commands.service_scaling import read_counts
from provisioner.doctor import checked_resources as resources
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.denials import Denial
from provisioner.engine.calls.user_errors import user_error
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import decide_change, resume_command
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Blocked, UsageError
from provisioner.location import LocationOptions, region_of
from provisioner.names import WRITER
from provisioner.resources import RESOURCE_TYPES, data_sources
from provisioner.resources.rds import engine_versions
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from provisioner.workspace import Workspace
from state.errors import ProvisionerError
from state.stack_state import ResourceState, StackLocation, StackState
from tests.support.user import User

PLACE = StackLocation("123456789012", "aws", "us-east-1", "")


def hint_of(call: Callable[[], object]) -> str:
    with pytest.raises(ProvisionerError) as caught:
        call()
    return caught.value.hint


def test_another_suffix_is_not_the_one_that_was_typed() -> None:
    options = LocationOptions(Workspace(Path("home")), "eu-west-1")
    typed = ["apply", "--suffix", "prod", "--region", "eu-west-1"]

    told = complete_hint(hint_of(lambda: region_of("prod", StackState("prod", PLACE), options)), typed, cli)

    assert "apply --suffix OTHER`" in told or "apply --suffix OTHER --region eu-west-1`" in told
    assert "--suffix prod" not in told


@pytest.mark.parametrize(
    ("typed", "hint", "told"),
    [
        (
            "--state-endpoint https://s.example",
            "`apply` goes on",
            "apply --state-endpoint https://s.example`",
        ),
        ("--region eu-west-1", "`plan --suffix x` shows it", "plan --suffix x --region eu-west-1`"),
        ("--region eu-west-1", "`apply --region us-east-1`", "apply --region us-east-1`"),
        ("--region eu-west-1", "`list` shows them", "list`"),
        ("--state s3://team/x", "`state init --state s3://...`", "state init --state s3://team/x`"),
        (
            "--state s3://team/x",
            "`apply --state-endpoint u`",
            "apply --state-endpoint u --state s3://team/x`",
        ),
        ("--set database.password=x", "`apply` goes on", "apply`"),
    ],
)
def test_what_says_which_aws_and_which_state_is_repeated(typed: str, hint: str, told: str) -> None:
    assert told in complete_hint(hint, ["plan", *typed.split()], cli)


def test_a_bucket_that_is_not_there_is_made_by_the_command_as_typed() -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": "no"}}, "GetObject")

    hint = hint_of(lambda: call_with_retries(refuse, "reading the state"))

    told = complete_hint(hint, ["plan", "--state", "s3://team/ml", "--local"], cli)
    assert "state init --state s3://team/ml --local` makes it" in told


WHO = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: "
ON = " on resource: arn:aws:s3:::team/x "
# IAM user guide, troubleshooting access denied error messages.
DENIED = [
    ("with an explicit deny in a service control policy", "explicit deny in a service control policy", True),
    ("with an explicit deny in an identity-based policy", "explicit deny in an identity-based policy", True),
    ("with an explicit deny in a VPC endpoint policy", "explicit deny in a VPC endpoint policy", True),
    ("with an explicit deny in a permissions boundary", "explicit deny in a permissions boundary", True),
    ("with an explicit deny in a resource control policy", "changed by whoever manages the organis", True),
    ("with an explicit deny in a resource-based policy", "changed by whoever owns that resource", True),
    ("with an explicit deny in a session policy", "sign in, or assume the role, without it", True),
    ("with an explicit deny in the role trust policy", "explicit deny in a role trust policy forbids", True),
    ("with an explicit deny", "An explicit deny forbids {0}, and no right outweighs it: take it", True),
    ("due to an explicit deny in a Service Control Policy", "changed by whoever manages the organisa", True),
    (
        "with an explicit deny in a service control policy: "
        "arn:aws:organizations::1:policy/o-1/service_control_policy/p-1. Go to https://x",
        "policy (arn:aws:organizations::1:policy/o-1/service_control_policy/p-1) forbids {0}",
        True,
    ),
    ("because no resource-based policy allows the {0} action", "let the resource-based policy allow", True),
    ("because no permissions boundary allows the {0} action", "let the permissions boundary allow {0}", True),
    ("because no session policy allows the {0} action", "let the session policy allow {0}", True),
    ("because no VPC endpoint policy allows the {0} action", "let the VPC endpoint policy allow {0}", True),
    ("because no service control policy allows the {0} action", "the service control policy allow", True),
    ("because no identity-based policy allows the {0} action", "Give these credentials the right {0}", False),
    ("", "Give these credentials the right {0}", False),
]


def denied(action: str, why: str) -> ClientError:
    words = f"{WHO}{action}{ON}{why.format(action)}"
    return ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "PutObject")


@pytest.mark.parametrize(("why", "says", "elsewhere"), DENIED)
@pytest.mark.parametrize("action", ["iam:PassRole", "kms:GenerateDataKey"])
def test_a_right_is_asked_for_only_where_a_right_helps(action: str, why: str, says: str, *, elsewhere: bool) -> None:
    error = denied(action, why)

    def refuse() -> None:
        raise error

    told = user_error(error, "making it")
    for hint in (told.hint if told else "", hint_of(lambda: call_with_retries(refuse, "writing the state"))):
        assert says.format(action) in hint
        assert action in hint
        assert ("Give these credentials" in hint) is not elsewhere
        assert "s3:PutObject" not in hint
        # AWS says the same of a right that is there, and whose condition this call does not meet.
        assert "(such as a region or a tag)" in hint or "let the " in hint


@pytest.mark.parametrize(
    ("why", "clause"),
    [
        ("because no identity-based policy allows the ec2:X action", "these credentials lack ec2:X"),
        ("", "these credentials lack ec2:X"),
        ("because no VPC endpoint policy allows the ec2:X action", "no VPC endpoint policy allows ec2:X"),
        (
            "with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/Deny",
            "an explicit deny in an identity-based policy (arn:aws:iam::1:policy/Deny) forbids ec2:X",
        ),
        ("with an explicit deny", "an explicit deny forbids ec2:X"),
    ],
)
def test_a_note_lacks_a_right_only_where_one_is_missing(why: str, clause: str) -> None:
    assert Denial.of(denied("ec2:X", why)).clause == clause


REGION_ALONE = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}


@pytest.mark.parametrize(
    ("statement", "says", "lacks"),
    [
        (
            {"Effect": "Deny", "Condition": {"StringNotEquals": REGION_ALONE["StringEquals"]}},
            "An explicit deny in an identity-based policy forbids ec2:CreateVpc, and no right outweighs it",
            False,
        ),
        (
            {"Effect": "Allow", "Condition": REGION_ALONE},
            "Where they have it already, its condition (such as a region or a tag) or its resources leave",
            True,
        ),
    ],
    ids=["denied elsewhere", "allowed elsewhere"],
)
def test_a_right_under_a_condition_that_is_not_met_is_not_told_as_missing(
    user: User, statement: dict[str, Any], says: str, *, lacks: bool
) -> None:
    all_else = {"Effect": "Allow", "NotAction": "ec2:CreateVpc", "Resource": "*"}
    if statement["Effect"] == "Deny":
        all_else = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    about = {"Action": "ec2:CreateVpc", "Resource": "*", **statement}
    user.box.authorise({"Version": "2012-10-17", "Statement": [all_else, about]})
    try:
        ran = user.run("apply", "--yes", "--suffix", "a", "--target", "vpc", "--region", "us-east-1")
    finally:
        user.box.authorise()

    assert ran.code == 4, ran.err
    assert says in ran.err
    assert ("Give these credentials the right ec2:CreateVpc" in ran.err) is lacks


@pytest.mark.parametrize(
    ("code", "says", "never"),
    [
        ("AuthFailure", "may not have enabled this region", "clock"),
        ("InvalidClientTokenId", "may not have enabled this region", "clock"),
        ("UnrecognizedClientException", "may not have enabled this region", "clock"),
        ("RequestExpired", "set this machine's clock right", "region"),
        ("RequestTimeTooSkewed", "Set this machine's clock right", "AWS_PROFILE"),
        ("ExpiredToken", "Set AWS_PROFILE", "clock"),
        ("ExpiredTokenException", "Set AWS_PROFILE", "region"),
    ],
)
def test_keys_that_are_not_taken_may_be_good_ones(code: str, says: str, never: str) -> None:
    error = user_error(ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeVpcs"), "looking")

    assert error
    assert error.exit_code == 3
    assert says in error.hint
    assert never not in error.hint


class Rds:
    """Tells of one version, and between how much capacity it runs."""

    def __init__(self, version: str = "15.10") -> None:
        self.version = version

    def describe_db_clusters(self, **_: str) -> dict[str, Any]:
        return {"DBClusters": []}

    def describe_db_engine_versions(self, **_: str) -> dict[str, Any]:
        bounds = {"MinCapacity": 0.5, "MaxCapacity": 128.0}
        one = {"EngineVersion": self.version, "DBParameterGroupFamily": "aurora-postgresql15"}
        return {"DBEngineVersions": [{**one, "ServerlessV2FeaturesSupport": bounds}]}

    def describe_orderable_db_instance_options(self, **_: str) -> dict[str, Any]:
        return {"OrderableDBInstanceOptions": []}


def clients(rds: Rds) -> Any:
    aws = SimpleNamespace(region="us-east-1", endpoint="", is_faithful=True)
    return SimpleNamespace(client=lambda _service: rds, aws=aws)


@pytest.mark.parametrize(
    ("least", "most", "says"),
    [
        (200, 256, "database.min_acu=128 --set database.max_acu=128`"),
        (0, 0.25, "database.min_acu=0.5 --set database.max_acu=0.5`"),
        (0, 300, "database.min_acu=0.5 --set database.max_acu=128`"),
    ],
)
def test_the_capacity_that_is_named_is_one_that_runs(least: float, most: float, says: str) -> None:
    assert says in hint_of(lambda: engine_versions.check_capacity(clients(Rds()), "15.10", least, most))


@pytest.mark.parametrize(
    ("there", "says"), [("15.10", "database.version=15.10`"), ("15.10-limitless", "Choose another region.")]
)
def test_a_version_that_cannot_be_had_is_not_advised(there: str, says: str) -> None:
    hint = hint_of(lambda: engine_versions.choose_engine_version(clients(Rds(there)), "prod", "16.99"))

    assert says in hint
    assert "16.99" not in hint


@pytest.mark.parametrize(
    ("there", "says"), [(["a"], "Choose another region."), (["a", "b"], "`--set network.zones=2`")]
)
def test_fewer_zones_than_a_database_wants_are_not_advised(
    monkeypatch: pytest.MonkeyPatch, there: list[str], says: str
) -> None:
    monkeypatch.setattr(data_sources, "usable_zones", lambda _clients: there)

    hint = hint_of(lambda: data_sources.choose_zones(clients(Rds()), 3))

    assert says in hint
    assert ("network.zones" in hint) is (len(there) > 1)


@pytest.mark.parametrize("kind", ["DBCluster", "DBInstance"])
def test_a_database_is_woken_in_its_own_region(kind: str) -> None:
    doc = {"Status": "stopped", "DBInstanceStatus": "stopped", "DBClusterIdentifier": "c"}

    woken = resume_command(RESOURCE_TYPES[kind], doc, "eu-west-1")

    assert woken == "aws rds start-db-cluster --db-cluster-identifier c --region eu-west-1"


def asleep(resource: Resource) -> JsonObject:
    """What AWS tells of a resource of ours that a person has stopped or turned off."""
    said = {key: min(one) if isinstance(one, frozenset) else one for key, one in resource.type.suspended.items()}
    wake = "aws kms enable-key --key-id k --region " + (resource.region or "eu-west-1")
    return {
        str(resource.type.id_paths): "x",
        "DBClusterIdentifier": "c",
        "ResumeCommand": wake,
        **said,
        "Tags": dict(resource.tags),
    }


@pytest.mark.parametrize("profile", ["seed", "production"])
def test_what_sleeps_is_woken_where_it_is_declared(profile: str) -> None:
    """As `plan` and `apply` refuse it, and as `teardown` does."""
    settings = Settings.model_validate({"profile": profile, "encryption": {"key": "own"}})
    known = replace(offline_lookups(settings.network.zones, settings.database.version), account="123456789012")
    stack = build(settings, "prod", "eu-west-1", known)
    resources = {resource.logical_id: resource for resource in stack if resource.type.resume_hint}
    plan = Plan(
        stack,
        StackState("prod", StackLocation("1", "aws", "eu-west-1")),
        actual={name: asleep(resource) for name, resource in resources.items()},
    )

    refused = {
        name: decide_change(resource, None, plan.actual[name], {}).reason for name, resource in resources.items()
    }
    with pytest.raises(Blocked) as caught:
        teardown_plan.check_suspended(plan)

    assert {"DBCluster", "DBInstance", "Key"} <= {str(resource.type) for resource in resources.values()}
    for name, resource in resources.items():
        where = f" --region {resource.region or 'eu-west-1'}` wakes it"
        assert where in refused[name], name
        assert f"{name}: {refused[name]}" in str(caught.value)


def test_doctor_wakes_a_database_in_the_region_of_its_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "read_recorded", lambda *_: {"Status": "stopped", "DBClusterIdentifier": "c"})
    monkeypatch.setattr(resources, "with_status_reads", lambda _clients, _target, doc, _made: doc)
    state = StackState("prod", PLACE)
    state.resources["aurora"] = ResourceState("DBCluster", "c", phase="ready", id="c")
    patient: Any = SimpleNamespace(state=state, clients=None, region="eu-west-1")

    (found,) = resources.read_recorded_resources(patient)

    assert found.resume_command == "aws rds start-db-cluster --db-cluster-identifier c --region eu-west-1"


def session(*, is_known: bool = True) -> Any:
    options = SimpleNamespace(workspace=Workspace(Path("home")))
    location = StackLocation("123456789012", "aws", "eu-west-1", "")
    state = StackState("prod", location)
    return SimpleNamespace(options=options, suffix="prod", location=location, is_known=is_known, state=state)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_teardown_without_a_state_is_told_with_its_region(*, is_known: bool) -> None:
    told = teardown_plan.next_command(session(is_known=is_known), "teardown")

    assert ("--region eu-west-1" in told) is not is_known


def test_a_service_without_its_scaling_is_not_told_as_absent() -> None:
    mine = session()
    mine.state.resources["service"] = SimpleNamespace(aws_name="api-prod")
    service = ServiceController(mine, Mock(read=lambda _target: None), "")

    with pytest.raises(ProvisionerError) as caught:
        read_counts(service)

    assert "The resource scaling is not there" in caught.value.message


def test_a_plan_of_another_suffix_says_what_to_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = SimpleNamespace(suffix="a", place={"region": "us-east-1"}, config=None)
    monkeypatch.setattr(SavedPlan, "load", lambda _path: kept)

    with pytest.raises(UsageError, match="is a plan of --suffix a, not of b") as caught:
        load_saved_plan(Path("plan"), {"suffix": "b", "region": None, "config": None})

    assert "Leave --suffix out" in caught.value.hint


def written(user: User, of: str = "prod", **changed: Any) -> str:
    """A ledger in a file."""
    location = StackLocation("123456789012", "aws", "us-east-1", f"embedded:{user.box.emulator.instance}")
    told = json.loads(StackState(of, location, serial=7).dump(WRITER))
    file = user.home / "told.json"
    file.write_text(json.dumps({**told, **changed}))
    return str(file)


@pytest.mark.parametrize(
    ("changed", "says", "never"),
    [
        ({"of": "other"}, "state push --suffix OTHER --local FILE`", "--adopt-all"),
        ({"schema": 99}, "Use the version of the provisioner that wrote it", "has printed"),
        ({"place": 1}, "state pull --suffix prod --local` has printed", "--adopt-all"),
    ],
)
def test_what_cannot_be_pushed_says_nothing_of_what_stands(
    user: User, changed: dict[str, Any], says: str, never: str
) -> None:
    ran = user.run("state", "push", "--suffix", "prod", written(user, **changed))

    assert ran.code in (1, 5)
    assert says in ran.err
    assert never not in ran.err


def test_a_damaged_version_is_no_damaged_state(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.state_store.FileStateStore.version_names", lambda _self: ["v1"])
    monkeypatch.setattr("state.state_store.FileStateStore.load_version", lambda _self, _name: b"{")
    user.well("state", "push", "--suffix", "prod", written(user))

    ran = user.run("state", "restore", "--yes", "--suffix", "prod", "v1")

    assert ran.code == 1
    assert "The version v1 is no state file" in ran.err
    assert "state history --suffix prod --local` lists the others" in ran.err
    assert "--adopt-all" not in ran.err


def test_local_stop_names_no_option_that_it_lacks(user: User) -> None:
    user.well("state", "push", "--suffix", "prod", written(user))
    with Workspace(user.home, is_local=True).lock("prod", "apply", 0, Clock()):
        ran = user.run("local", "stop", local=False)

    assert ran.code == 7
    assert "Wait until that run has ended" in ran.err
    assert "--lock-timeout" not in ran.err


@pytest.mark.parametrize(
    ("text", "says", "never"),
    [(None, "config init {file}` writes one there", "Mend"), ("[[", "Mend it there", "writes one there")],
)
def test_a_settings_file_that_is_there_is_mended_and_one_that_is_not_is_made(
    user: User, tmp_path: Path, text: str | None, says: str, never: str
) -> None:
    file = tmp_path / "mine.toml"
    if text:
        file.write_text(text)

    ran = user.run("config", "show", "--config", str(file), local=False)

    assert ran.code == 64
    assert says.format(file=file) in ran.err
    assert never not in ran.err
