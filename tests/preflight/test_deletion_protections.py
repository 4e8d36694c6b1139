"""Whatever keeps a resource of ours from being deleted is asked before the first deletion."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from provisioner.aws.connection import AwsConnection
from provisioner.emulator.local import running_emulator
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.engine.planning.teardown_plan import overrides_method
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import Blocked, CooldownActive
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.elbv2.load_balancers import LoadBalancer
from provisioner.resources.logs import LogGroup
from provisioner.resources.route53 import DnsName
from provisioner.resources.s3 import Bucket
from provisioner.service_clients import S3
from tests.support.account_inventory import client
from tests.support.fake_resources import WholeLists, as_client
from tests.support.hosted_zones import Zone
from tests.support.printed_commands import carry_out, printed
from tests.support.user import User

# How services call what keeps a resource from its end, in botocore 1.44.5.
_WORDS = re.compile(
    r"Protect(ion|ed)?(s|Enabled)?$|ProtectionEnabled|Protections$|DisableApi|ObjectLock|LegalHold"
    r"|RetainUntil|^Lock(Mode|State)$|TerminationProtection|DeletionProtection",
    re.IGNORECASE,
)
# Where a resource type of ours can bear it, and which lifts it: a property, or what has to be asked for.
LIFTED = {
    ("dynamodb", "DeletionProtectionEnabled"): "Table",
    ("logs", "deletionProtectionEnabled"): "LogGroup",
    ("rds", "DeletionProtection"): "DBCluster",
    ("route53", "Protections"): "DnsName",
    ("route53", "ResourceRecordSetProtections"): "DnsName",
}
# Attributes by name: no member of a shape.
BY_NAME = {("elbv2", "deletion_protection.enabled"): "LoadBalancerAttributes"}
# Those that no command lifts: who is under one is told by `holders`, with its end.
HELD = dict.fromkeys(
    [
        *(("s3", one) for one in ("ObjectLockConfiguration", "ObjectLockEnabled", "ObjectLockEnabledForBucket")),
        *(("s3", f"ObjectLock{one}") for one in ("LegalHoldStatus", "Mode", "RetainUntilDate", "EventHold")),
        *(("s3", f"ObjectLockEventHoldDuration{one}") for one in ("Days", "Years")),
        *(("s3", one) for one in ("LegalHold", "RetainUntilDate")),
    ],
    "Bucket",
)
# Of what this stack does not make, or nothing that keeps a resource from its end.
OTHERS = {
    ("cloudfront", "XSSProtection"): "a header",
    ("cloudfront", "Protection"): "a header",
    ("dynamodb", "DisassociationProtectionEnabled"): "of a replica in a global table",
    ("ec2", "DeregistrationProtection"): "of an image",
    ("ec2", "DisableApiStop"): "of an instance",
    ("ec2", "DisableApiTermination"): "of an instance",
    ("ec2", "FilesystemProtections"): "of a Mac",
    ("ec2", "NvramProtections"): "of a Mac",
    ("ec2", "LockMode"): "of a volume's snapshot",
    ("ec2", "LockState"): "of a volume's snapshot",
    ("ecs", "deletionProtection"): "of a gateway",
    ("ecs", "managedTerminationProtection"): "of instances in an Auto Scaling group",
    ("ecs", "protectionEnabled"): "of a task while autoscaling scales in: DeleteService with force ends it",
    ("wafv2", "DataProtections"): "what is left out of logs",
}


def members() -> set[tuple[str, str]]:
    """Each member of the services' shapes that is called like a protection."""
    found = set()
    for service in {resource_type.service for resource_type in RESOURCE_TYPES.values()}:
        model = botocore.session.get_session().get_service_model(service)
        for name in model.shape_names:
            shape = model.shape_for(name)
            if shape.type_name == "structure":
                found |= {(service, one) for one in shape.members if _WORDS.search(one)}
    return found


def test_each_protection_that_a_service_knows_is_classed() -> None:
    assert members() == {*LIFTED, *HELD, *OTHERS}


@pytest.mark.parametrize("member", [*LIFTED, *BY_NAME])
def test_what_can_be_lifted_its_resource_type_lifts(member: tuple[str, str]) -> None:
    resource_type = RESOURCE_TYPES[{**LIFTED, **BY_NAME}[member]]

    assert resource_type.service == member[0]
    assert member[1] in str(resource_type.unprotected) or (
        overrides_method(resource_type, "protections") and overrides_method(resource_type, "remove_protection")
    )


@pytest.mark.parametrize("name", sorted(set(HELD.values())))
def test_what_nothing_lifts_is_told_by_its_holders(name: str) -> None:
    assert overrides_method(RESOURCE_TYPES[name], "blockers")


def as_a_run(user: User, service: str) -> Any:
    """The client that a run hands to a resource type."""
    return Clients(AwsConnection("us-east-1", running_emulator(user.home / "embedded" / "server")), Clock()).client(
        service
    )


def test_a_protected_record_is_asked_for_and_its_protection_lifted_its_own_alone(user: User) -> None:
    zone = Zone.of(user)
    name = f"api.{zone.name}"
    record = {"Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]}
    props = {"HostedZoneId": zone.id, "Name": name, "Records": [record], "Mark": "ours"}
    spec = ResourceSpec("name", "", "a", props, id=f"{zone.id}|{name}")
    route53, resource_type = as_a_run(user, "route53"), DnsName()
    resource_type.create(route53, spec)
    assert resource_type.protections(route53, spec) == []
    theirs = {"RecordName": f"www.{zone.name}", "RecordType": "A"}
    ours = [{"RecordName": name, "RecordType": "A"}, {"RecordName": f"_ml-api.{name}", "RecordType": "TXT"}]
    route53.create_resource_record_set_protections(HostedZoneId=zone.id, Protections=[theirs, *ours])

    assert resource_type.protections(route53, spec) == ["Route 53 protects its records of type A, TXT"]
    with pytest.raises(ClientError, match="is protected"):
        resource_type.delete(route53, spec)
    resource_type.remove_protection(route53, spec)
    resource_type.remove_protection(route53, spec)
    resource_type.delete(route53, spec)

    assert zone.records() == {}
    left = route53.list_resource_record_set_protections(HostedZoneId=zone.id)
    assert left["ResourceRecordSetProtections"] == [theirs]


BUCKET, KEPT = "ml-api-logs-a-123456789012-us-east-1", {"Mode": "COMPLIANCE", "Days": 30}


@pytest.fixture
def locked(user: User) -> Any:
    """S3, with a bucket of our name whose objects are locked for a month as soon as they are written."""
    s3 = as_a_run(user, "s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return s3


def test_a_bucket_under_object_lock_is_told_with_the_end_of_what_is_written_now(locked: Any) -> None:
    spec = ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET)
    assert Bucket().blockers(locked, spec) == []
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": KEPT}}
    locked.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=rule)

    (holder,) = Bucket().blockers(locked, spec)

    end = datetime.now(UTC) + timedelta(days=30)
    assert holder.deferred
    assert "S3 Object Lock (COMPLIANCE, 30 days" in str(holder)
    assert f"{end:%Y-%m-%d}" in holder.remedy


def test_a_bucket_without_object_lock_is_held_by_nothing(user: User) -> None:
    s3 = as_a_run(user, "s3")
    s3.create_bucket(Bucket=BUCKET)

    assert Bucket().blockers(s3, ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET)) == []


def test_a_locked_object_is_told_as_locked_and_not_as_a_missing_right(locked: Any) -> None:
    locked.put_object(Bucket=BUCKET, Key="one.gz", Body=b"GET /")
    until = datetime(2126, 1, 2, 3, 4, tzinfo=UTC)
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    locked.put_object_retention(Bucket=BUCKET, Key="one.gz", Retention=retention)
    spec = ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET)

    with pytest.raises(CooldownActive, match="from 2126-01-02 03:04 UTC on"):
        Bucket().delete(locked, spec)


def test_a_legal_hold_is_told_with_the_command_that_ends_it(locked: Any) -> None:
    locked.put_object(Bucket=BUCKET, Key="one.gz", Body=b"GET /")
    locked.put_object_legal_hold(Bucket=BUCKET, Key="one.gz", LegalHold={"Status": "ON"})

    with pytest.raises(Blocked, match="aws s3api put-object-legal-hold --bucket"):
        Bucket().delete(locked, ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET))


def test_what_is_under_governance_is_told_with_its_end_and_the_right_that_passes_over_it(locked: Any) -> None:
    spec = ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET)
    until = datetime(2126, 1, 2, 3, 4, tzinfo=UTC)
    version = locked.put_object(Bucket=BUCKET, Key="a b.gz", Body=b"GET /")["VersionId"]
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    locked.put_object_retention(Bucket=BUCKET, Key="a b.gz", Retention=retention)

    (holder,) = Bucket().blockers(locked, spec)

    assert holder.deferred
    assert not holder.temporary
    assert "S3 Object Lock (GOVERNANCE) on the object a b.gz" in holder.description
    for told in ("from 2126-01-02 03:04 UTC on", "s3:BypassGovernanceRetention", "--key 'a b.gz' "):
        assert told in holder.remedy
    assert f"--version-id {version} --bypass-governance-retention`" in holder.remedy
    with pytest.raises(CooldownActive, match="--bypass-governance-retention"):
        Bucket().delete(locked, spec)
    one = {"Bucket": BUCKET, "Key": "a b.gz", "VersionId": version}
    locked.delete_object(**one, BypassGovernanceRetention=True)
    Bucket().delete(locked, spec)


@pytest.mark.parametrize(("mode", "bypassed"), [("GOVERNANCE", True), ("COMPLIANCE", False)])
def test_a_default_retention_tells_of_the_bypass_where_there_is_one(locked: Any, mode: str, bypassed: bool) -> None:
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Years": 1}}}
    locked.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=rule)

    (holder,) = Bucket().blockers(locked, ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET))

    assert f"({mode}, 365 days" in holder.description
    assert ("s3:BypassGovernanceRetention" in holder.remedy) is bypassed


class Locked(WholeLists):
    """S3 with Object Lock on, no default, and this many versions, of which `kept` are under retention."""

    def __init__(self, versions: int, kept: int = 0, end: str = "2126-01-01", denied: str = "") -> None:
        self.versions, self.kept, self.end, self.denied = versions, kept, end, denied

    def get_object_lock_configuration(self, **_: Any) -> Any:
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}

    def list_object_versions(self, **_: Any) -> Any:
        listed = [{"Key": str(at), "VersionId": "v"} for at in range(self.versions)]
        return {"Versions": listed, "IsTruncated": False}

    def get_object_retention(self, **asked: str) -> Any:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObjectRetention")
        end = datetime.fromisoformat(self.end).replace(tzinfo=UTC)
        held = int(asked["Key"]) < self.kept
        return {"Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": end} if held else {}}

    def get_object_legal_hold(self, **_: Any) -> Any:
        return {"LegalHold": {"Status": "OFF"}}


@pytest.mark.parametrize(
    ("s3", "told"),
    [
        (Locked(0), []),
        (Locked(20), []),
        (Locked(20, kept=2), [False, False]),
        (Locked(20, kept=20), [False, False, False]),
        (Locked(20, kept=20, end="2020-01-01"), []),
        (Locked(21), [True]),
        (Locked(1, denied="yes"), [True]),
    ],
    ids=["empty", "none is locked", "two are", "all are", "all were", "more than are looked at", "denied"],
)
def test_what_locks_the_first_objects_is_told_and_of_the_rest_that_nobody_looked(s3: Locked, told: list[bool]) -> None:
    spec = ResourceSpec("bucket", BUCKET, "a", {"Bucket": BUCKET}, id=BUCKET)

    assert [one.uncertain for one in Bucket().blockers(as_client(S3, s3), spec)] == told


def protect_logs(user: User) -> None:
    """Turn on what an organisation turns on for all log groups."""
    logs = client(user.box.endpoint, "logs")
    for group in logs.describe_log_groups()["logGroups"]:
        logs.put_log_group_deletion_protection(logGroupIdentifier=group["logGroupName"], deletionProtectionEnabled=True)


def test_what_an_apply_would_remove_is_refused_before_while_it_is_protected(user: User) -> None:
    """DeleteLogGroup was refused after the web ACL had gone, and no way out was told."""
    user.apply("a", "--set", "waf.enabled=true")
    protect_logs(user)
    before = user.mark()

    planned = user.run("plan", "--suffix", "a")
    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5, ran.err
    assert user.tries(before) == []
    for text in (planned.out, ran.err):
        assert "waf/waf-logs: " in text
        assert "is no longer declared, and is protected against deletion" in text
    (command,) = printed(ran.err)
    carry_out(user.box, command)
    user.apply("a")


def test_a_protected_log_group_keeps_its_tags_when_its_deletion_is_refused(user: User) -> None:
    """The emulator took them off before it refused, and the next run held the group for a stranger's."""
    user.apply("a")
    protect_logs(user)
    logs = client(user.box.endpoint, "logs")
    [group, *_] = logs.describe_log_groups()["logGroups"]
    arn = group["arn"].removesuffix(":*")
    before = logs.list_tags_for_resource(resourceArn=arn)["tags"]

    with pytest.raises(ClientError, match="deletion protection"):
        logs.delete_log_group(logGroupName=group["logGroupName"])

    assert before
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == before


def test_what_was_protected_after_the_question_is_told_with_its_way_out(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.apply("a")
    real = LogGroup.delete

    def delete(resource_type: LogGroup, logs: Any, spec: ResourceSpec) -> None:
        logs.put_log_group_deletion_protection(logGroupIdentifier=spec.id, deletionProtectionEnabled=True)
        real(resource_type, logs, spec)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(LogGroup, "delete", delete)
        ran = user.run("teardown", "--yes", "--suffix", "a")

    assert ran.code == 4, ran.err
    assert "alb-logs: LogGroup /aws/alb/ml-api-a is protected against deletion." in ran.err
    assert "ValidationException" not in ran.err
    for command in printed(ran.err):
        carry_out(user.box, command)
    user.teardown("a")


def test_a_balancer_protected_after_the_question_is_told_with_its_way_out(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its read does not tell of the protection: it ended in OperationNotPermitted."""
    user.apply("a")
    real = LoadBalancer.delete

    def delete(resource_type: LoadBalancer, elbv2: Any, spec: ResourceSpec) -> None:
        on = [{"Key": "deletion_protection.enabled", "Value": "true"}]
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=spec.id, Attributes=on)
        real(resource_type, elbv2, spec)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(LoadBalancer, "delete", delete)
        ran = user.run("teardown", "--yes", "--suffix", "a")

    assert ran.code == 4, ran.err
    assert "alb: LoadBalancer ml-api-alb-a is protected against deletion." in ran.err
    assert "or add `--unprotect`, which takes it off." in ran.err
    assert "OperationNotPermitted" not in ran.err
    (command,) = printed(ran.err)
    assert command.startswith("elbv2 modify-load-balancer-attributes --load-balancer-arn arn:")
    again = user.run("teardown", "--yes", "--suffix", "a")
    assert (again.code, "protected against deletion; nothing was touched" in again.err) == (5, True)
    user.well("teardown", "--yes", "--unprotect", "--suffix", "a")


def test_the_command_told_of_a_protected_balancer_takes_the_protection_off(user: User) -> None:
    user.apply("a")
    elbv2 = as_a_run(user, "elbv2")
    (one,) = elbv2.describe_load_balancers()["LoadBalancers"]
    spec = ResourceSpec("alb", one["LoadBalancerName"], "a", id=one["LoadBalancerArn"])
    resource_type, on = LoadBalancer(), [{"Key": "deletion_protection.enabled", "Value": "true"}]
    assert resource_type.deletion_protected(elbv2, spec, one) == {}
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=spec.id, Attributes=on)

    told = resource_type.unprotect_command.format(**resource_type.deletion_protected(elbv2, spec, one))
    carry_out(user.box, told.removeprefix("aws "))

    assert resource_type.deletion_protected(elbv2, spec, one) == {}
