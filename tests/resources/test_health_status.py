"""Every state of every resource type is classed once, and the four commands that look agree on it."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import botocore.loaders
import pytest

from provisioner.commands.status_report import StatusReport
from provisioner.doctor.checked_resources import CheckedResource, resources_are_healthy
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.planning.change import retain_change
from provisioner.engine.planning.drift import Drift, DriftField, DriftReport, drifts_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import HealthStatus, StatusClasses, health_of
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.report.resources import display_status_of
from provisioner.resources import RESOURCE_TYPES
from provisioner.terminal.differences import drift_line
from provisioner.terminal.markdown import drift_markdown
from state.stack_state import ResourceState

# The member that tells the states, by resource type: the model's enum, where it has one.
ENUMS = {
    ("Vpc", "State"): ("ec2", "VpcState"),
    ("Subnet", "State"): ("ec2", "SubnetState"),
    ("GatewayAttachment", "State"): ("ec2", "AttachmentStatus"),
    ("NatGateway", "State"): ("ec2", "NatGatewayState"),
    ("Route", "State"): ("ec2", "RouteState"),
    ("RouteTableAssociation", "State"): ("ec2", "RouteTableAssociationStateCode"),
    ("VpcEndpoint", "State"): ("ec2", "State"),
    ("InterfaceEndpoint", "State"): ("ec2", "State"),
    ("Key", "KeyState"): ("kms", "KeyState"),
    ("EdgeKey", "KeyState"): ("kms", "KeyState"),
    ("Table", "TableStatus"): ("dynamodb", "TableStatus"),
    ("LoadBalancer", "State.Code"): ("elbv2", "LoadBalancerStateEnum"),
    ("TargetGroup", "TargetHealth"): ("elbv2", "TargetHealthStateEnum"),
    ("TaskDefinition", "status"): ("ecs", "TaskDefinitionStatus"),
    ("Service", "Rollout"): ("ecs", "DeploymentRolloutState"),
    ("Certificate", "Status"): ("acm", "CertificateStatus"),
    ("Issuance", "Status"): ("acm", "CertificateStatus"),
    ("IssuanceByHand", "Status"): ("acm", "CertificateStatus"),
    ("DnsName", "Status"): ("route53", "ChangeStatus"),
    ("EventRule", "State"): ("events", "RuleState"),
}
# These are strings in the models; the documentation lists them, and `StatusClasses` holds them.
DOCUMENTED = {
    ("FlowLog", "FlowLogStatus"),
    ("FlowLog", "DeliverLogsStatus"),
    ("Secret", "InRecovery"),
    ("DBSubnetGroup", "SubnetGroupStatus"),
    ("DBCluster", "Status"),
    ("DBInstance", "DBInstanceStatus"),
    ("Cluster", "status"),
    ("Service", "status"),
    ("Service", "Tasks"),
    ("Distribution", "Status"),
    ("Distribution", "Enabled"),
    ("VpcOrigin", "Status"),
    # Told by `read` and `observe`: what is suspended of SuspendedState, and what the alarms come to.
    ("ScalableTarget", "Scaling"),
    ("ScalingPolicy", "Tracking"),
}
MEMBERS = [(name, one) for name, kind in RESOURCE_TYPES.items() for one in kind.status_classes]
NEW = "a-state-newer-than-this-code"
# What status, doctor and drift end with (`--detailed-exitcode`), what drift calls it, what the report draws.
SAID: dict[HealthStatus, tuple[int, int, int, str, str]] = {
    "healthy": (0, 0, 0, "", "good"),
    "in progress": (1, 1, 0, "", "busy"),
    "unhealthy": (1, 1, 2, "failed", "bad"),
    "gone": (1, 1, 2, "gone", "bad"),
    "unknown": (1, 1, 2, "unknown", "unknown"),
}


def told(states: StatusClasses) -> set[str]:
    return set(states.healthy | states.in_progress | states.unhealthy | states.gone)


CASES = [(name, one.member, state) for name, one in MEMBERS for state in [*sorted(told(one)), NEW]]


def test_every_member_that_tells_a_state_is_of_a_model_or_of_the_documentation() -> None:
    assert {(name, one.member) for name, one in MEMBERS} == set(ENUMS) | DOCUMENTED


@pytest.mark.parametrize(("where", "enum"), ENUMS.items(), ids=" ".join)
def test_every_state_of_the_model_is_classed_once(where: tuple[str, str], enum: tuple[str, str]) -> None:
    service, shape = enum
    model = botocore.loaders.create_loader().load_service_model(service, "service-2")
    (states,) = [one for one in RESOURCE_TYPES[where[0]].status_classes if one.member == where[1]]

    assert {one.lower() for one in model["shapes"][shape]["enum"]} <= told(states)


@pytest.mark.parametrize(("name", "states"), MEMBERS, ids=lambda one: getattr(one, "member", one))
def test_no_state_is_classed_twice(name: str, states: StatusClasses) -> None:
    classes = [states.healthy, states.in_progress, states.unhealthy, states.gone]

    assert sum(map(len, classes)) == len(told(states))


def doc_of(name: str, member: str, state: str) -> JsonObject:
    """A resource all of whose members are healthy, but for one."""
    doc: dict[str, Any] = {}
    for one in RESOURCE_TYPES[name].status_classes:
        value: Any = state if one.member == member else min(one.healthy)
        top, _, inner = one.member.partition(".")
        doc[top] = {inner: value} if inner else {"true": True, "false": False}.get(value, value)
    return doc


@pytest.mark.parametrize(("name", "member", "state"), CASES, ids=lambda one: one)
def test_the_four_commands_say_the_same_of_each_state(name: str, member: str, state: str) -> None:
    resource_type, doc = RESOURCE_TYPES[name], doc_of(name, member, state)
    how = health_of(resource_type, doc)
    status, doctor, drift, called, drawn = SAID[how.status]

    row = {"node": "n", "kind": name, "phase": "ready", "id": "i", "state": how.status, "live": how.description}
    assert int(not StatusReport((row,), ()).is_healthy) == status
    assert int(resources_are_healthy([CheckedResource("n", how)]) is not None) == doctor
    # Whatever was confirmed was so: its state is all that may be told of it.
    resource_state = ResourceState(type_name=name, aws_name="n", step="p", phase="ready", id="i", recorded=dict(doc))
    found = list(
        drifts_of(
            ManagedResource(resource_type, ResourceSpec("n", "n", "s")),
            resource_state,
            doc,
            retain_change("n", resource_state),
        )
    )
    assert [one.category for one in found] == ([called] if called else [])
    assert 2 * DriftReport("s", found).is_drifting == drift
    ready = {**doc, **{key: value for key, value in resource_type.ready.items() if key not in doc}}
    if how.status != "healthy":
        assert display_status_of(resource_type, ready, found[0] if found else None, how)[0] == drawn
    if state == NEW:
        assert how.status == "unknown"
        assert NEW in how.description
        assert "unknown to this version" in how.description


@pytest.mark.parametrize(
    ("name", "recorded", "seen", "fields"),
    [
        # The status is a setting, too: one line, with what it was.
        ("EventRule", {"State": "ENABLED"}, {"State": "DISABLED"}, [("State", "ENABLED", "DISABLED", False)]),
        ("Distribution", {"Enabled": True}, {"Enabled": False}, [("Enabled", True, False, False)]),
        (
            "TargetGroup",
            {"HealthCheckPath": "/health"},
            {"HealthCheckPath": "/nowhere", "TargetHealth": "unhealthy"},
            [
                ("TargetHealth", None, "unhealthy", True),
                ("HealthCheckPath", "/health", "/nowhere", False),
            ],
        ),
    ],
    ids=["EventRule", "Distribution", "TargetGroup"],
)
def test_what_is_unhealthy_and_altered_is_one_drift_and_no_field_is_told_twice(
    name: str, recorded: JsonObject, seen: JsonObject, fields: list[tuple[str, Any, Any, bool]]
) -> None:
    doc = {**doc_of(name, "", ""), **seen}
    resource_state = ResourceState(
        type_name=name, aws_name="n", step="p", phase="ready", id="i", recorded=dict(recorded)
    )
    change = dataclasses.replace(retain_change("n", resource_state), action="update")
    (found,) = drifts_of(
        ManagedResource(RESOURCE_TYPES[name], ResourceSpec("n", "n", "s")), resource_state, doc, change
    )

    assert (found.category, found.remedy) == ("failed", "apply sets it right")
    assert [(one.path, one.recorded, one.actual, one.is_status) for one in found.fields] == fields


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_what_a_resource_type_waits_for_is_classed_as_it_is_waited_for(name: str) -> None:
    """`ready` is healthy, `failed` unhealthy, `deleting` and `deleted` gone."""
    resource_type = RESOURCE_TYPES[name]
    members = {one.member.split(".")[0]: one for one in resource_type.status_classes}
    wanted = {"ready": ("healthy", "unhealthy"), "failed": ("unhealthy",)}
    for trait, classes in {**wanted, "deleting": ("gone",), "deleted": ("gone",)}.items():
        for key, value in getattr(resource_type, trait).items():
            plain = value.get("Code") if isinstance(value, dict) else value
            for word in plain if isinstance(plain, frozenset) else [plain]:
                if key in members:
                    told_as = str(word).lower() if isinstance(word, bool) else word
                    assert members[key].classify(str(told_as)) in classes, (trait, key, word)


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_what_is_not_there_is_gone_for_all(name: str) -> None:
    assert health_of(RESOURCE_TYPES[name], None).status == "gone"


def test_the_classes_are_five() -> None:
    assert set(SAID) == set(get_args(HealthStatus))
    assert {one.name for one in dataclasses.fields(StatusClasses)} >= {"healthy", "in_progress", "unhealthy", "gone"}


def test_a_health_is_told_as_what_it_is_and_never_as_a_change_from_nothing() -> None:
    fields = (
        DriftField("TargetHealth", None, "unhealthy", None, is_status=True),
        DriftField("HealthCheckPath", "/health", "/nowhere", "/health"),
    )
    drift = Drift("failed", "tg", "alb", "TargetGroup", "n", "i", "apply sets it right", fields)

    page = drift_markdown(DriftReport("a", [drift]), "Drift: 1 failed.").splitlines()

    for line in ("TargetHealth: unhealthy", "HealthCheckPath: /health -> /nowhere"):
        assert line in [one.strip() for one in page]
    assert [drift_line(one) for one in fields] == [
        "TargetHealth: unhealthy",
        "HealthCheckPath: /health -> /nowhere",
    ]
