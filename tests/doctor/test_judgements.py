"""Judgements on what AWS may say: each over documents alone."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.doctor import (
    balancer,
    database,
    domain_names,
    edge,
    limits,
    security_groups,
    subnet_routes,
    task_roles,
    tasks,
)
from provisioner.doctor.check import Check, Finding, JsonObject, NotApplicable, NotChecked, ReadResult, Recovered
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.reads.edge import OriginPath
from provisioner.doctor.reads.limits import Firewall, Quota
from provisioner.doctor.reads.network import NetworkAcls
from provisioner.doctor.reads.scaling import BY_HAND, BY_SCALE, BY_SETTINGS, MinimumTasks
from provisioner.doctor.reads.task_roles import EXECUTION_ROLE, SecretKey, TaskRole
from provisioner.doctor.reads.tasks import StoppedTasks, is_current, stopping_has_ended
from provisioner.doctor.runner import CheckResult, first_finding, run_check
from provisioner.resources.ecs.deployment_diagnosis import Diagnosis, StoppedContainer
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GROUP = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/tg/1"
SECRET = "arn:aws:secretsmanager:us-east-1:1:secret:db-AbCdEf"
KEY = "arn:aws:kms:us-east-1:1:key/1"
LOCAL = {"CidrBlock": "10.0.0.0/16", "VpcId": "vpc-1"}
EDGE = {"DomainName": "d1.cloudfront.net", "Id": "E1", "Enabled": True, "Status": "Deployed"}
CLUSTER: JsonObject = {
    "DBClusterIdentifier": "db",
    "Status": "available",
    "DBClusterMembers": [{"DBInstanceIdentifier": "w", "IsClusterWriter": True}],
}


def service(**more: Any) -> JsonObject:
    vpc = {"subnets": ["s-1"], "securityGroups": ["sg-t"]}
    return {
        "serviceName": "api",
        "runningCount": 2,
        "desiredCount": 2,
        "pendingCount": 0,
        "loadBalancers": [{"targetGroupArn": GROUP, "containerPort": 8080}],
        "networkConfiguration": {"awsvpcConfiguration": vpc},
        **more,
    }


def rule(*groups: str, **more: Any) -> JsonObject:
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": one}]}} for one in groups]
    return {"Conditions": [], "Priority": "1", "Actions": actions, **more}


def role(statement: JsonObject | None = None, **more: Any) -> TaskRole:
    doc = {"Arn": "arn:aws:iam::1:role/r"}
    allow = statement or {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return dataclasses.replace(TaskRole("r", EXECUTION_ROLE, doc, ({"Statement": allow},)), **more)


def key(statement: JsonObject, state: str = "Enabled") -> SecretKey:
    return SecretKey("db", {"Arn": KEY, "KeyState": state}, {"Statement": [statement]}, {})


def table(*routes: JsonObject) -> JsonObject:
    return {"RouteTableId": "rtb-1", "Associations": [{"Main": True}], "Routes": list(routes)}


def opened(**permission: Any) -> JsonObject:
    rules = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9000, **permission}]
    return {"GroupId": "sg-t", "GroupName": "g", "IpPermissions": rules, "IpPermissionsEgress": rules}


NONE = NetworkAcls({}, [])
ALB = {
    "DNSName": "ALB.example",
    "LoadBalancerArn": "arn",
    "SecurityGroups": ["sg-t"],
    "AvailabilityZones": [],
}
AMAZONS = {"GroupId": "sg-c", "GroupName": CLOUDFRONT_GROUP_NAME}
INWARD = opened(UserIdGroupPairs=[{"GroupId": "sg-c"}])
EVENT = {"createdAt": NOW, "message": "(service api) was unable to place a task. Reason: RESOURCE:ENI."}
BROKEN = {"rolloutState": "FAILED", "rolloutStateReason": "why"}
STEADY = {"createdAt": NOW + timedelta(minutes=1), "message": "(service api) has reached a steady state."}
INTERFACE = {
    "ServiceName": "com.amazonaws.us-east-1.logs",
    "VpcEndpointType": "Interface",
    "State": "available",
}
OWN = {**INTERFACE, "Tags": [{"Key": "ManagedBy", "Value": "ml-api-provisioner"}]}
ROOT = {"AWS": "arn:aws:iam::1:root"}
OTHER = {"AWS": "arn:aws:iam::2:root"}
OPEN = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
OF_ALL = {**OPEN, "Principal": "*"}
OPENS_A = {**OPEN, "Condition": {"StringEquals": {"kms:EncryptionContext:SecretARN": ["a"]}}}
WROTE = {"DBInstanceIdentifier": "w", "DBInstanceStatus": "failed"}
SUBNET = {"SubnetId": "s-1", "AvailableIpAddressCount": 200}
ENDED = {
    "Status": "ISSUED",
    "CertificateArn": "arn:aws:acm:eu-west-1:1:certificate/1",
    "DomainName": "a.example",
}

# What is judged, and words of the finding; none where all is well.
JUDGED: list[tuple[Finding | None, str]] = [
    (edge.distribution_is_deployed(ReadResult("edge", {**EDGE, "Status": "InProgress"})), "still being deployed"),
    (edge.origin_is_balancer(OriginPath(80), ALB, [{"Port": 80}], {"a": []}), "origin is a; "),
    (edge.origin_is_balancer(OriginPath(443), ALB, [{"Port": 80}], {}), "on port 443; it listens on 80"),
    (edge.origin_is_balancer(OriginPath(80, "vo", "other", "Deployed"), ALB, [{"Port": 80}], {}), "other through vo"),
    (edge.origin_is_balancer(OriginPath(80, "vo", "arn", "Deploying"), ALB, [{"Port": 80}], {}), "vo, is Deploying"),
    (edge.origin_is_balancer(OriginPath(80, "vo", "arn", "Deployed"), ALB, [{"Port": 80}], {}), ""),
    (
        security_groups.edge_reaches_balancer(
            OriginPath(80, "vo"), ALB, {"sg-t": INWARD, "sg-c": AMAZONS}, set(), NONE
        ),
        "",
    ),
    (
        security_groups.edge_reaches_balancer(OriginPath(80), ALB, {"sg-t": INWARD, "sg-c": AMAZONS}, set(), NONE),
        "in on port 80",
    ),
    (domain_names.certificates_are_valid([{**ENDED, "Status": "FAILED"}], NOW.timestamp()), "is FAILED"),
    (domain_names.certificates_are_valid([{**ENDED, "NotAfter": NOW + timedelta(days=31)}], NOW.timestamp()), ""),
    (
        domain_names.names_reach_distribution(
            EDGE, {"a": [{"Type": "CNAME", "ResourceRecords": [{"Value": "D1.cloudfront.net."}]}]}
        ),
        "",
    ),
    (domain_names.names_reach_distribution(EDGE, {"a.example": []}), "leads to nowhere"),
    (balancer.rules_reach_services([], [], []), "listens on no port"),
    (
        balancer.rules_reach_services([{}], [rule()], [service()]),
        "No rule of the load balancer leads to the service api",
    ),
    (
        balancer.rules_reach_services(
            [{}],
            [
                rule(GROUP),
                rule("gone", Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}]),
            ],
            [service()],
        ),
        "The rule for /a leads to gone",
    ),
    (balancer.targets_are_healthy({GROUP: []}), "No target is registered in tg"),
    (tasks.service_is_active(ReadResult("service api", service(status="DRAINING")), MinimumTasks(2)), "is DRAINING"),
    (tasks.tasks_are_placed([service(events=[EVENT])]), "unable to place"),
    (tasks.tasks_are_placed([service(events=[EVENT, STEADY])]), ""),
    (tasks.deployments_completed([service(deployments=[BROKEN])], {"api": ("", "")}), "FAILED, why"),
    (
        tasks.deployments_completed([service(deployments=[])], {"api": ("ROLLBACK_SUCCESSFUL", "breaker")}),
        "did not complete: ROLLBACK_SUCCESSFUL, breaker",
    ),
    (tasks.deployments_completed([service(deployments=[])], {"api": ("SUCCESSFUL", "")}), ""),
    (
        subnet_routes.tasks_have_route_out([service()], [SUBNET], [table()], []),
        "no route out and no endpoint for ecr.api, ecr.dkr",
    ),
    (
        subnet_routes.endpoints_work(
            [{**INTERFACE, "State": "pending", "VpcEndpointId": "e"}], [service()], [SUBNET], []
        ),
        "is pending",
    ),
    (
        security_groups.tasks_reach_endpoints([service()], [{**OWN, "Groups": [{"GroupId": "sg-t"}]}], {}, LOCAL),
        "does not let the tasks of api in on port 443",
    ),
    (
        security_groups.tasks_reach_endpoints(
            [service()],
            [{**OWN, "Groups": [{"GroupId": "sg-t"}]}],
            {"sg-t": opened(IpRanges=[{"CidrIp": "10.0.0.0/8"}])},
            LOCAL,
        ),
        "",
    ),
    (
        security_groups.balancer_reaches_tasks(
            ALB,
            [service()],
            {"sg-t": opened(IpRanges=[{"CidrIp": "10.0.0.0/24"}])},
            LOCAL,
            NONE,
        ),
        "does not let it out to the tasks of api",
    ),
    (task_roles.roles_are_assumable([TaskRole("r", "task role")]), "does not exist"),
    (task_roles.keys_are_usable([role()], [key({**OPEN, "Principal": ROOT})]), ""),
    (task_roles.keys_are_usable([role()], [key({**OPEN, "Principal": OTHER})]), "may not call kms:Decrypt"),
    (task_roles.keys_are_usable([role()], [key({**OPEN, "Principal": "*"}, "PendingDeletion")]), "is PendingDeletion"),
    (task_roles.keys_are_usable([role(OPENS_A)], [dataclasses.replace(key(OF_ALL), secret_arn="a")]), ""),
    (task_roles.keys_are_usable([role(OPENS_A)], [dataclasses.replace(key(OF_ALL), secret_arn="b")]), "may not call"),
    (task_roles.secrets_have_values([ReadResult("secret a", None)]), "There is no secret a"),
    (
        task_roles.secrets_have_values([ReadResult("secret arn:aws:secretsmanager:r:1:secret:rds!a-X", None)]),
        "There is no",
    ),
    (
        task_roles.secrets_have_values([ReadResult("secret a", {"Name": "a", "DeletedDate": NOW})]),
        "to be deleted (2026-11-01)",
    ),
    (
        database.cluster_is_available(ReadResult("database cluster db", {**CLUSTER, "Status": "creating"})),
        "is creating",
    ),
    (database.writer_is_available(CLUSTER, [WROTE]), "writer w is failed"),
    (
        balancer.balancer_is_active(ReadResult("b", {**ALB, "State": {"Code": "failed", "Reason": "why"}})),
        "failed: why",
    ),
    (
        subnet_routes.balancer_has_internet_route(
            {"Scheme": "internet-facing", "AvailabilityZones": [SUBNET]}, [table()]
        ),
        "subnet s-1 has no live route",
    ),
    (database.table_is_active(ReadResult("table t", {"TableName": "t", "TableStatus": "CREATING"})), "is CREATING"),
    (limits.firewall_admits_viewers(Firewall("acl", 1000, {"common": 50})), ""),
    (limits.quotas_leave_room([Quota("FARGATE", 6, 5.5, 0.5)]), ""),
]


@pytest.mark.parametrize(("finding", "says"), JUDGED, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_judged(finding: Finding | None, says: str) -> None:
    if not says:
        assert finding is None
        return
    assert finding
    assert says in finding.problem
    assert finding.consequence
    assert finding.command


UP = {"status": "PRIMARY", "rolloutState": "COMPLETED", "taskDefinition": "web:1", "createdAt": NOW}
BACK = {"api": ("ROLLBACK_SUCCESSFUL", "breaker")}


def by_hand(group: str, *, private_dns: bool = True) -> Finding | None:
    """Judge an endpoint that somebody made, behind a group of this name that lets nobody in."""
    endpoint = {
        **INTERFACE,
        "VpcEndpointId": "vpce-1",
        "PrivateDnsEnabled": private_dns,
        "Groups": [{"GroupId": "sg-e"}],
    }
    groups: dict[str, JsonObject] = {"sg-e": {"GroupId": "sg-e", "GroupName": group, "IpPermissions": []}}
    return security_groups.tasks_reach_endpoints([service()], [endpoint], groups, LOCAL)


@pytest.mark.parametrize(
    ("principal", "is_trusted"),
    [
        ({"Service": "ecs-tasks.amazonaws.com"}, True),
        ({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}, True),
        ({"Service": "ec2.amazonaws.com"}, False),
        (ROOT, False),
        ("*", True),
        ({"AWS": "*"}, True),
    ],
)
def test_a_role_trusts_ecs_by_its_name_or_as_one_of_all(principal: JsonObject | str, is_trusted: bool) -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    trust = {"Arn": "arn:aws:iam::1:role/r", "AssumeRolePolicyDocument": {"Statement": [statement]}}

    finding = task_roles.roles_are_assumable([TaskRole("r", EXECUTION_ROLE, trust)])

    assert (finding is None) == is_trusted


def test_the_group_of_a_foreign_endpoint_is_opened_by_a_command_of_aws() -> None:
    found = by_hand("theirs")

    assert found
    assert found.problem.endswith("It is not this stack's, so `apply` leaves it alone.")
    assert found.command == (
        "aws ec2 authorize-security-group-ingress --group-id sg-e --ip-permissions "
        """'[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"IpRanges":[{"CidrIp":"10.0.0.0/16"}]}]'"""
    )


def test_a_foreign_endpoint_in_the_default_group_goes_as_apply_keeps_that_group_bare() -> None:
    found = by_hand("default")

    assert found
    assert found.command == "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids vpce-1"


def test_a_foreign_endpoint_without_private_dns_takes_no_calls_of_the_tasks() -> None:
    assert by_hand("theirs", private_dns=False) is None


def test_the_stacks_own_endpoint_is_opened_by_apply() -> None:
    found = security_groups.tasks_reach_endpoints([service()], [{**OWN, "Groups": [{"GroupId": "sg-t"}]}], {}, LOCAL)

    assert found
    assert found.command == "apply"


def test_a_deployment_that_was_rolled_back_to_what_runs_is_over() -> None:
    with pytest.raises(Recovered, match="api is as before its last deployment, which was rolled back"):
        tasks.deployments_completed([service(deployments=[UP])], BACK)
    assert tasks.deployments_completed([service(deployments=[UP], runningCount=1)], BACK)
    assert tasks.deployments_completed([service(deployments=[{**UP, "rolloutState": "IN_PROGRESS"}])], BACK)


def test_one_service_that_is_well_again_hides_no_other() -> None:
    listed = [service(deployments=[UP]), service(serviceName="worker", deployments=[BROKEN])]

    found = tasks.deployments_completed(listed, {**BACK, "worker": ("", "")})

    assert found
    assert "worker" in found.problem


@pytest.mark.parametrize(
    ("revision", "ago", "deployments", "counts"),
    [
        ("web:1", -1, [UP], True),
        ("web:1", 1, [UP], False),
        ("web:2", -1, [UP], False),
        ("web:2", 1, [UP, {**UP, "taskDefinition": "web:2", "rolloutState": "IN_PROGRESS"}], True),
    ],
    ids=["it stays not up", "before what runs came up", "another one's", "of the one under way"],
)
def test_tasks_that_stopped_tell_while_their_deployment_is_not_over(
    revision: str, ago: int, deployments: list[JsonObject], *, counts: bool
) -> None:
    task = {"taskDefinitionArn": revision, "stoppedAt": NOW - timedelta(minutes=ago)}

    assert is_current(task, service(deployments=deployments)) is counts


def test_tasks_of_a_deployment_that_is_over_are_only_told() -> None:
    with pytest.raises(Recovered, match="3 of api did within the hour"):
        tasks.tasks_stay_running([StoppedTasks(service(), 0, None, recovered=3)])


@pytest.mark.parametrize(
    ("ago", "more", "ended"),
    [
        ((50,), {}, True),
        ((50, 48, 46), {}, True),
        ((45, 25, 5), {}, False),
        ((45, 25, 5), {"runningCount": 3}, False),
        ((66, 46, 25), {}, True),
        ((1, 1, 1), {}, True),
        ((50, 48, 46), {"runningCount": 1}, False),
        ((50,), {"runningCount": 1}, False),
        ((50, 48, 46), {"deployments": [{**UP, "rolloutState": "IN_PROGRESS"}]}, False),
        ((50, 48, 46), {"deployments": [{**UP, "rolloutState": "FAILED"}]}, False),
        ((), {}, False),
    ],
    ids=str,
)
def test_stops_are_history_once_all_runs_for_longer_than_they_were_apart(
    ago: tuple[int, ...], more: JsonObject, *, ended: bool
) -> None:
    stopped: list[JsonObject] = [{"stoppedAt": NOW - timedelta(minutes=one)} for one in ago]

    assert stopping_has_ended(stopped, service(**{"deployments": [UP], **more}), NOW.timestamp()) is ended


def test_a_task_of_which_ecs_does_not_say_when_it_stopped_is_no_history() -> None:
    assert not stopping_has_ended([{"stoppedAt": None}], service(deployments=[UP]), NOW.timestamp())


IN_CLUSTER = {"clusterArn": "arn:aws:ecs:eu-west-1:1:cluster/ml-api-cluster-prod"}
PULLED = "CannotPullContainerError: pull image manifest has been retried 5 time(s)"


@pytest.mark.parametrize(
    ("last", "typed"),
    [
        (Diagnosis(task_id="0a1b", containers=(StoppedContainer("api", 1, "", ("boom",)),)), "logs --since 1h"),
        (
            Diagnosis(task_id="0a1b", stop_reason=PULLED, containers=(StoppedContainer("api", None, PULLED),)),
            "aws ecs describe-tasks --cluster ml-api-cluster-prod --tasks 0a1b",
        ),
        (Diagnosis(failed_calls=("(ListTasks answered AccessDeniedException: no)",)), "status"),
    ],
    ids=["it wrote", "it never started", "nobody tells which"],
)
def test_logs_are_advised_only_where_a_container_wrote(last: Diagnosis, typed: str) -> None:
    found = tasks.tasks_stay_running([StoppedTasks(service(runningCount=1, **IN_CLUSTER), 1, last)])

    assert found
    assert found.command == typed
    assert found.problem.startswith("1 task of api stopped unexpectedly in the last hour, and 1 of 2 run.")


def test_tasks_that_cannot_start_are_told_by_the_other_checks_and_not_by_logs() -> None:
    said = {"createdAt": NOW, "message": "(service api) is unable to consistently start tasks successfully."}

    found = tasks.tasks_are_placed([service(events=[said])])

    assert found
    assert found.command == "doctor --all"


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ({"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": SECRET}, True),
        ({"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": f"{SECRET}x"}, False),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, False),
    ],
)
def test_a_role_may_read_a_secret(statement: JsonObject, may: bool) -> None:
    found = task_roles.secrets_are_readable([role(statement)], [ReadResult(f"secret {SECRET}", {})])

    assert (found is None) == may


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, "depends on aws:SourceVpc"),
        ({"DateLessThan": {"aws:RequestedRegion": "x"}}, "cannot be judged"),
    ],
)
def test_a_right_that_depends_on_the_request_is_not_judged(condition: JsonObject, says: str) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}

    with pytest.raises(NotChecked, match=says):
        task_roles.secrets_are_readable([role(statement)], [ReadResult(f"secret {SECRET}", {})])


def results(*checks: tuple[str, bool, bool]) -> list[CheckResult]:
    """Checks by name, each a symptom or not, wrong or not."""
    return [
        CheckResult(
            Check(name, "", (), lambda: None, is_symptom=symptom),
            "wrong" if wrong else "ok",
            "",
            Finding("name", "a", "b", "c") if wrong else None,
        )
        for name, symptom, wrong in checks
    ]


@pytest.mark.parametrize(
    ("checks", "first"),
    [
        ([("a", False, False)], None),
        ([("a", True, True), ("b", False, True), ("c", False, True)], "b"),
        ([("a", True, True), ("b", False, False)], "a"),
    ],
)
def test_a_cause_comes_before_a_symptom(checks: list[tuple[str, bool, bool]], first: str | None) -> None:
    found = first_finding(results(*checks))

    assert (found.check.name if found else None) == first


def test_a_fault_of_ours_is_no_finding() -> None:
    def judge() -> Finding | None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        run_check(Check("a", "", (), judge), DoctorContext("a", None, 0.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(("raised", "state"), [(NotChecked("x"), "not checked"), (NotApplicable("x"), "none")])
def test_what_is_not_there_is_not_well(raised: Exception, state: str) -> None:
    def judge() -> Finding | None:
        raise raised

    result = run_check(Check("a", "", (), judge), DoctorContext("a", None, 0.0))  # type: ignore[arg-type]

    assert (result.status, result.note) == (state, "x")


@pytest.mark.parametrize(
    ("least", "typed"),
    [
        (MinimumTasks(3), "aws ecs update-service --cluster c --service api --desired-count 3"),
        (MinimumTasks(0, BY_SCALE), "scale --min 1"),
        (MinimumTasks(0, BY_SETTINGS), "apply --set service.minimum=1"),
        (MinimumTasks(0, BY_HAND), "apply"),
    ],
)
def test_a_service_that_wants_no_task_gets_as_many_as_who_holds_the_counts_says(
    least: MinimumTasks, typed: str
) -> None:
    doc = service(status="ACTIVE", desiredCount=0, clusterArn="arn:aws:ecs:us-east-1:1:cluster/c")

    found = tasks.service_is_active(ReadResult("service api", doc), least)

    assert found is not None
    assert (found.name, found.command) == ("service-wants-none", typed)
