"""Each setting alone, on a stack of either profile: changed as planned, then nothing to say, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.resource_graph.references import redact
from provisioner.engine.types.resource_type import ResourceType
from provisioner.settings import Settings
from provisioner.settings.schema import setting_schemas
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.settings.test_settings_change import SUFFIX, Stack, calls_of
from tests.support.account_inventory import client, inventory
from tests.support.hosted_zones import Zone
from tests.support.live_stack import ACCOUNT
from tests.support.setting_changes import (
    BESIDE,
    CERTIFICATE,
    OTHER_ZONE,
    REFUSED,
    STILL,
    ZONE,
    SettingChange,
    setting_changes,
)
from tests.support.user import User

pytestmark = pytest.mark.xdist_group("each-setting")
PROFILES = ("seed", "production")
EVERY = [(profile, way) for profile in PROFILES for way in setting_changes(profile)]


def test_every_setting_is_in_the_table() -> None:
    tried = {way.path for _, way in EVERY}

    assert tried | STILL.keys() | REFUSED.keys() == setting_schemas().keys()
    assert not tried & (STILL.keys() | REFUSED.keys())
    assert BESIDE.keys() <= tried


@pytest.mark.parametrize("profile", ["seed", pytest.param("production", marks=pytest.mark.slow)])
def test_what_a_setting_no_longer_states_has_a_value_to_go_back_to(profile: str) -> None:
    """A property of a call is left out of the next one: AWS would keep it, where no default is known."""
    for way in setting_changes(profile):
        here, there = (_nodes(profile, sets) for sets in (way.here, way.there))
        for name in here.keys() & there.keys():
            resource_type, told = here[name]
            other = there[name][1]
            for key in told.keys() ^ other.keys():
                assert _goes(resource_type, key), f"{way} drops {resource_type} {key}"


# What goes with another property: what was bought with how it is bought, who writes with how often, how long.
GOES_WITH = {("Table", "ProvisionedThroughput"), ("DBInstance", "MonitoringRoleArn")}
GOES_WITH |= {("DBInstance", "PerformanceInsightsRetentionPeriod")}


def _goes(resource_type: ResourceType, key: str) -> bool:
    told = key in resource_type.immutable or key in resource_type.defaults or key in resource_type.write_only
    return told or (str(resource_type), key) in GOES_WITH


def _nodes(profile: str, sets: dict[str, str]) -> dict[str, tuple[ResourceType, dict[str, Any]]]:
    given: dict[str, Any] = {"profile": profile}
    for path, value in sets.items():
        *groups, last = path.split(".")
        inner = given
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = _read(value)
    settings = Settings(**given)
    stack = build(settings, "a", "us-east-1", offline_lookups(settings.network.zones, settings.database.version))
    return {resource.logical_id: (resource.type, redact(resource.props)) for resource in stack}


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest, served: LocalAws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    user = User.before(served, tmp_path_factory.mktemp("each") / "home")
    user.environment["MLAPI_PROFILE"] = request.param
    zone, other = Zone.of(user), Zone.of(user, "api.shop.example")
    made = {ZONE: zone.id, OTHER_ZONE: other.id, CERTIFICATE: certificate(user, zone)}
    user.apply(SUFFIX)
    yield Real(user, made=made)
    user.environment.clear()


def certificate(user: User, zone: Zone) -> str:
    """A certificate for the names of the table, proven and issued."""
    acm, names = client(user.box.endpoint, "acm"), ["api.shop.example", "origin.api.shop.example"]
    asked = {"DomainName": names[0], "SubjectAlternativeNames": names, "ValidationMethod": "DNS"}
    arn = str(acm.request_certificate(**asked)["CertificateArn"])
    told = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    for one in told:
        zone.change("CREATE", one["ResourceRecord"]["Name"], "CNAME", one["ResourceRecord"]["Value"])
    return arn


@dataclass(frozen=True)
class Real(Stack):
    """A stack whose stand-ins have been made by somebody."""

    made: dict[str, str] = field(default_factory=dict)

    def plan(self, sets: dict[str, str]) -> dict[str, str]:
        """The changes that a plan tells of."""
        return super().plan(self._real(sets))

    def apply(self, sets: dict[str, str]) -> set[str]:
        """What `apply` calls that changes anything."""
        return super().apply(self._real(sets))

    def _real(self, sets: dict[str, str]) -> dict[str, str]:
        return {path: self.made.get(value, value) for path, value in sets.items()}


def held(stack: Stack) -> dict[str, dict[str, Any]]:
    """All that AWS holds of the stack, without what it counts or dates by itself, or numbers again."""
    found = inventory(stack.desk.box.endpoint)
    calm = {type_name: {id_: _calm(line) for id_, line in ids.items()} for type_name, ids in found.items()}
    for group in calm["security group"].values():
        # The rules that a VPC is born with are not given back to its default group.
        if group["GroupName"] == "default":
            group.update(IpPermissions=[], IpPermissionsEgress=[])
    return calm


# What AWS numbers again when it is made again, and stands in what refers to it.
_NUMBERS = re.compile(
    r"(?<=[-/])[0-9a-f]{16,17}\b|\b[0-9a-f]{64}\b|:\d+(?=\")"
    r"|(?<=:certificate/)[0-9a-f-]{36}|(?<=/ml-api-webacl-prod/)[0-9a-f-]{36}|(?<=createdBy/)[0-9a-f-]{36}"
)
# What AWS counts, dates or numbers by itself whenever something is changed.
RESTLESS = {
    *(
        "LoadBalancerArns",
        "RoleId",
        "PolicyId",
        "creationTime",
        "CreationDate",
        "CreateDate",
        "CreationTime",
        "CreatedTime",
    ),
    *("AvailableIpAddressCount", "Associations", "events", "deployments", "currentServiceDeployment"),
    *("currentServiceRevisions", "taskDefinition", "runningCount", "pendingCount", "ETag", "HTTPHeaders"),
    *("LastModifiedTime", "LastModified", "LastModifiedDate", "LastChangedDate", "LockToken", "UpdateDate"),
    *("StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp", "LastUpdateToPayPerRequestDateTime"),
    # A policy that was changed and changed back is its third version; autoscaling holds the count of tasks.
    *("DefaultVersionId", "desiredCount", "runningTasksCount", "pendingTasksCount"),
    *("NumberOfDecreasesToday", "LastDecreaseDateTime", "LastIncreaseDateTime", "RequestId"),
}


# What AWS keeps of a thing that is off, and means nothing then: the sign that it is off, and what is kept.
MEANINGLESS: list[tuple[dict[str, Any], str]] = [
    ({"MonitoringInterval": 0}, "MonitoringRoleArn"),
    ({"PerformanceInsightsEnabled": False}, "PerformanceInsightsRetentionPeriod"),
    ({"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}, "ProvisionedThroughput"),
    ({"configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}}}, "configuration"),
]


def _meant(doc: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in doc.items() if key not in RESTLESS}
    idle = {key for sign, key in MEANINGLESS if all(doc.get(one) == value for one, value in sign.items())}
    return {key: value for key, value in told.items() if key not in idle}


def _is_idle(one: Any) -> bool:
    """Where records went, once they are off: AWS keeps it, and it means nothing."""
    return isinstance(one, dict) and one.get("Key") in ("access_logs.s3.bucket", "access_logs.s3.prefix")


def _calm(line: str) -> Any:
    def calm(doc: Any) -> Any:
        if isinstance(doc, dict):
            return {key: calm(value) for key, value in _meant(doc).items()}
        if isinstance(doc, list):
            return sorted((calm(one) for one in doc if not _is_idle(one)), key=str)
        return doc

    return calm(json.loads(_NUMBERS.sub("…", line)))


def unlike(one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    """The fields in which two answers of AWS differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return {} if one == other else {"": (one, other)}
    return {key: (one.get(key), other.get(key)) for key in one | other if one.get(key) != other.get(key)}


of_each = pytest.mark.parametrize("stack", PROFILES, indirect=True, scope="module")


@pytest.mark.slow
@pytest.mark.parametrize(("stack", "way"), EVERY, indirect=["stack"], scope="module", ids=str)
def test_a_setting_alone_is_changed_as_planned_and_back(stack: Stack, way: SettingChange) -> None:
    stack.apply(way.here)
    before = held(stack)

    planned = stack.plan(way.there)
    called = stack.apply(way.there)

    assert planned
    assert called <= calls_of(stack, planned)
    assert stack.plan(way.there) == {}
    assert stack.plan(way.here)
    stack.apply(way.here)
    assert stack.plan(way.here) == {}
    after = held(stack)
    for type_name, ids in before.items():
        for id_ in ids.keys() & after[type_name].keys():
            assert unlike(ids[id_], after[type_name][id_]) == {}, id_
    stack.apply({})


@pytest.mark.slow
@of_each
@pytest.mark.parametrize("path", REFUSED)
def test_a_setting_that_cannot_be_changed_is_refused_with_the_way_out(stack: Stack, path: str) -> None:
    before, value = stack.desk.mark(), REFUSED[path]

    typed = value if isinstance(value, str) else json.dumps(value)
    ran = stack.desk.run("apply", "--yes", "--suffix", SUFFIX, "--set", f"{path}={typed}")

    assert ran.code == 5, ran.err
    assert "second stack" in ran.err
    assert stack.desk.tries(before) == []


@pytest.mark.slow
@of_each
@pytest.mark.parametrize("path", STILL)
def test_a_setting_that_changes_nothing_of_what_stands_is_silent(stack: Stack, path: str) -> None:
    assert STILL["account"] == ACCOUNT
    assert stack.plan({path: json.dumps(STILL[path]).strip('"')}) == {}
