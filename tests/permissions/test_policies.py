"""With exactly the policies that are printed a stack lives and ends; with less it says what is missing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.commands.operator_policy import PolicyScope, policies_for
from provisioner.configuration import load_settings
from provisioner.iam import reference
from provisioner.iam.evaluator import Request, Verdict, verdict
from provisioner.permissions.commands import COMMAND_PERMISSIONS
from provisioner.permissions.grants import CHANGING_METHODS
from provisioner.permissions.statements import MANAGED_LIMIT, size
from provisioner.workspace import Workspace
from tests.support.account_inventory import client
from tests.support.user import User

SUFFIX, ACCOUNT = "prod", "123456789012"
FULL = (
    *("--set", "profile=production", "--set", "encryption.key=own"),
    *("--set", "edge.vpc_origin=true", "--set", 'alarms.emails=["ops@shop.example"]'),
)
# A standing stack is changed by these: each tag, the distribution, and who is told by mail.
CHANGED = (
    *(*FULL, "--set", 'tags={"team": "search"}', "--set", "edge.price_class=PriceClass_200"),
    *("--set", 'alarms.emails=["night@shop.example"]'),
)
# A life in which every statement is needed once: by which policy, and the command.
LIFE = (
    ("plan", ("plan", *FULL)),
    ("apply", ("apply", "--yes", *FULL)),
    ("apply", ("apply", "--yes", *CHANGED)),
    ("plan", ("plan", *CHANGED)),
    ("status", ("status",)),
    ("teardown", ("teardown", "--yes", "--unprotect")),
)
# What a run can do without: it asks elsewhere, or only where the ledger has no id yet or a deployment fails.
SPARE = {
    "acm:DescribeCertificate",
    "application-autoscaling:ListTagsForResource",
    "cloudfront:ListDistributions",
    "cloudfront:ListVpcOrigins",
    # Of services whose traffic ECS shifts: test_native_strategies.py asks them under exactly these policies.
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeTasks",
    "ecs:ListServiceDeployments",
    "ecs:ListTasks",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListAttachedRolePolicies",
    "iam:ListPolicies",
    "iam:ListRolePolicies",
    "iam:ListRoles",
    "kms:Decrypt",
    "logs:GetLogEvents",
    "logs:ListTagsForResource",
    "pricing:GetProducts",
    "pricingplanmanager:ListSubscriptions",
    "rds:DescribeDBEngineVersions",
    "rds:DescribeOrderableDBInstanceOptions",
    "rds:ListTagsForResource",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "servicequotas:GetServiceQuota",
    "sns:ListTopics",
    "tag:GetResources",
    "wafv2:ListWebACLs",
}
# What one command can do without: `status` looks for ways through ACLs that somebody changed, and asks it
# under exactly its policy in cli/test_commands_agree.py.
SPARE_OF = {
    "status": {
        "ecs:DescribeServices",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSubnetGroups",
    }
}
# What IAM cannot be asked to hold to one stack, and what holds it instead.
OF_THE_ACCOUNT = {
    "cloudfront:AllowVendedLogDeliveryForResource": "AWS names the distribution; it lets its records be had",
    "cloudwatch:DeleteAlarms": "of no alarm: Application Auto Scaling tries it so",
    "cloudwatch:PutMetricAlarm": "the same",
    "ec2:CreateTags": "only in the call that makes the resource (ec2:CreateAction)",
    "ec2:RevokeSecurityGroupEgress": "of groups without our tags: the default group bears none",
    "ec2:RevokeSecurityGroupIngress": "the same",
    "ecs:DeregisterTaskDefinition": "takes no resource",
    "iam:CreateServiceLinkedRole": "four services (iam:AWSServiceName)",
    "kms:CreateGrant": "of AWS's own keys",
    "logs:CreateLogDelivery": "takes no resource",
    "logs:DeleteLogDelivery": "takes no resource",
    "logs:PutResourcePolicy": "takes no resource",
    "rds:CreateDBCluster": "its option group is AWS's default one",
    "rds:CreateDBInstance": "so is its parameter group",
    "sns:Unsubscribe": "is asked of all topics, whichever subscription is meant",
    "wafv2:CreateWebACL": "of AWS's own groups of rules",
    "wafv2:UpdateWebACL": "the same",
    "secretsmanager:CreateSecret": "RDS names the secret of the password",
    "secretsmanager:TagResource": "the same",
}
Policy = dict[str, Any]


def policies(user: User, purpose: str, *more: str) -> list[Policy]:
    """What `policy` prints."""
    asked = ("--suffix", SUFFIX, "--expect-account", ACCOUNT, "--json", *(more or FULL))
    return list(user.well("policy", "--for", purpose, *asked).lines[0]["policies"])


def statements(given: list[Policy]) -> list[Policy]:
    return [one for policy in given for one in policy["Statement"]]


def without(given: list[Policy], sid: str) -> list[Policy]:
    """The same policies, one statement taken away."""
    return [{**one, "Statement": [s for s in one["Statement"] if s["Sid"] != sid]} for one in given]


def meddle(served: Any) -> None:
    """Somebody who may do everything lets another service have a role of the stack."""
    served.authorise()
    iam = client(served.endpoint, "iam")
    role = f"ml-api-task-role-{SUFFIX}"
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    theirs = json.dumps(trust).replace("ecs-tasks.amazonaws.com", "lambda.amazonaws.com")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=theirs)
    confirm(served)


def confirm(served: Any) -> None:
    """Who is told by mail answers it."""
    sns = client(served.endpoint, "sns")
    for topic in sns.list_topics()["Topics"]:
        sns.confirm_subscription(TopicArn=topic["TopicArn"], Token="read")


def deliver(served: Any) -> None:
    """A balancer's records arrive, and one has not arrived whole."""
    s3 = client(served.endpoint, "s3")
    bucket = f"ml-api-logs-{SUFFIX}-{ACCOUNT}-us-east-1"
    s3.put_object(Bucket=bucket, Key=f"alb/AWSLogs/{ACCOUNT}/one.log.gz", Body=b"GET /")
    s3.create_multipart_upload(Bucket=bucket, Key=f"alb/AWSLogs/{ACCOUNT}/half.log.gz")
    confirm(served)


@dataclass
class Lived:
    """What a stack asked of IAM in its life, by command, each command under its own policy alone."""

    given: dict[str, list[Policy]]
    asked: dict[str, list[Request]]


@pytest.fixture(scope="module")
def lived(served: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    user = User.before(served, tmp_path_factory.mktemp("rights") / "home")
    given = {purpose: policies(user, purpose) for purpose, _ in LIFE}
    asked: dict[str, list[Request]] = {purpose: [] for purpose in given}
    try:
        for purpose, (command, *more) in LIFE:
            if more == ["--yes", *CHANGED]:
                meddle(served)
            if purpose == "teardown":
                served.authorise()
                deliver(served)
            served.authorise(*given[purpose])
            ran = user.well(command, "--suffix", SUFFIX, *more)
            asked[purpose] += served.emulator.authoriser.decided_requests
            assert more != [*CHANGED] or ran.out == "No changes.\n"
        yield Lived(given, asked)
    finally:
        served.authorise()


def test_with_exactly_its_policy_each_command_goes_well(lived: Lived) -> None:
    for purpose, asked in lived.asked.items():
        assert all(verdict(lived.given[purpose], one) is Verdict.ALLOWED for one in asked)
        assert len(asked) > 50


@pytest.mark.slow
@pytest.mark.parametrize("purpose", ["apply", "plan", "status", "teardown"])
def test_no_statement_could_be_left_out(lived: Lived, purpose: str) -> None:
    given, asked = lived.given[purpose], lived.asked[purpose]

    idle = [
        one
        for one in statements(given)
        if one["Effect"] == "Allow"
        and all(verdict(without(given, one["Sid"]), request) is Verdict.ALLOWED for request in asked)
    ]

    spare = SPARE | SPARE_OF.get(purpose, set())
    assert [one for one in idle if not set(one["Action"]) <= spare] == []


def test_who_may_plan_can_change_nothing_that_an_apply_or_a_teardown_changes(lived: Lived) -> None:
    changes = [
        one
        for purpose in ("apply", "teardown")
        for one in lived.asked[purpose]
        if not reference.require_action(one.action).only_reads
    ]

    assert len(changes) > 100
    # IAM calls Decrypt a write: it opens the origin key, through Secrets Manager, and changes nothing.
    may = {one.action for one in changes if verdict(lived.given["plan"], one) is Verdict.ALLOWED}
    assert may == {"kms:Decrypt"}
    looks = {one.action for one in changes if verdict(lived.given["status"], one) is Verdict.ALLOWED}
    assert looks == set()


def test_each_policy_fits_iam_and_each_statement_has_a_short_id(lived: Lived) -> None:
    for given in lived.given.values():
        for policy in given:
            assert size(policy) <= MANAGED_LIMIT
            sids = [one["Sid"] for one in policy["Statement"]]
            assert len(set(sids)) == len(sids)
            assert all(re.fullmatch("[A-Za-z0-9]{4,45}", sid) for sid in sids)
        everything = [one["Sid"] for one in statements(given)]
        assert len(set(everything)) == len(everything)


def test_an_id_says_what_its_statement_allows(lived: Lived) -> None:
    by_id = {one["Sid"]: one for one in statements(lived.given["apply"])}

    assert all(
        name.rpartition(":")[2].startswith(("Describe", "Get", "Search")) for name in by_id["Ec2ReadAll"]["Action"]
    )
    assert by_id["IamPassRoleByService"]["Action"] == ["iam:PassRole"]
    assert set(by_id["Ec2ChangeOurs"]["Condition"]["StringEquals"]) == {
        "aws:ResourceTag/Environment",
        "aws:ResourceTag/Project",
    }
    assert "aws:RequestTag/Project" in by_id["Ec2ChangeNew"]["Condition"]["StringEquals"]
    assert by_id["DenyBoundaryRemoval"]["Effect"] == "Deny"


def test_what_is_changed_is_this_stacks_alone(lived: Lived) -> None:
    wide = {
        name
        for purpose in ("apply", "teardown")
        for one in statements(lived.given[purpose])
        if SUFFIX not in json.dumps([one["Resource"], one.get("Condition", {})])
        for name in one["Action"]
        if one["Effect"] == "Allow" and not reference.require_action(name).only_reads
    }

    assert wide <= OF_THE_ACCOUNT.keys()


def test_what_aws_asks_besides_the_call_itself_is_allowed_on_that_thing_alone() -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, FULL[1::2], {}), "us-east-1", ACCOUNT)
    allowed = {
        (action, resource): one.get("Condition", {})
        for one in statements(policies_for(scope, "apply"))
        for action in one["Action"]
        for resource in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
        if one["Effect"] == "Allow"
    }
    role = f"arn:aws:iam::{ACCOUNT}:role/ml-api-task-role-{SUFFIX}"

    # An alias bears its prefix in its name, and once in its ARN.
    assert ("kms:CreateAlias", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/ml-api-key-{SUFFIX}") in allowed
    distribution = f"arn:aws:cloudfront::{ACCOUNT}:distribution/*"
    assert ("cloudfront:AllowVendedLogDeliveryForResource", distribution) in allowed
    groups = f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/managedruleset/*"
    assert {("wafv2:CreateWebACL", groups), ("wafv2:UpdateWebACL", groups)} <= allowed.keys()
    # IAM may not know the boundary where a role's trust changes.
    assert list(allowed["iam:UpdateAssumeRolePolicy", role]) == ["StringEqualsIfExists"]
    assert list(allowed["iam:PutRolePolicy", role]) == ["StringEquals"]


STRONGEST = (
    *(*FULL[1::2], 'domain.names=["api.shop.example"]', "domain.hosted_zone_id=Z0123456789ABCDEFGHIJ"),
    *("network.nat=none", "database.monitoring=60", "database.readers=1", "database.insights=true"),
    f"image={ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/ml-api:1",
    f"container.scratch_image={ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/busybox:1",
)


@pytest.mark.parametrize("purpose", COMMAND_PERMISSIONS)
def test_each_call_that_a_verb_declares_is_allowed(purpose: str) -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, STRONGEST, {}), "us-east-1", ACCOUNT)
    wanted = COMMAND_PERMISSIONS[purpose]
    made = [one for one in statements(policies_for(scope, purpose)) if one["Effect"] == "Allow"]
    allowed = {name for one in made for name in one["Action"]}

    declared = {
        reference.action_of(resource.type.service, operation)
        for resource in scope.grants(teardown=wanted.covers_undeclared).stack
        for verb in (*wanted.methods, *wanted.methods_by_type.get(str(resource.type), ()))
        for operation in resource.type.operations_of(verb)
        if not (resource.type.limits_permissions and verb in CHANGING_METHODS and "create" in wanted.methods)
    }

    assert declared - allowed <= {"iam:DeleteRolePermissionsBoundary"}


def test_what_is_born_with_tags_may_be_given_them() -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, STRONGEST, {}), "us-east-1", ACCOUNT)
    made = statements(policies_for(scope, "apply"))
    allowed = {name for one in made if one["Effect"] == "Allow" for name in one["Action"]}
    given = {
        str(resource.type): [
            reference.tagging_action(reference.action_of(resource.type.service, one)) for one in creates
        ]
        for resource in scope.grants().stack
        if resource.type.tagged and (creates := resource.type.operations_of("create"))
    }

    assert {type_name for type_name, names in given.items() if not set(names) & allowed} == {"DnsName"}
    bucket = f"arn:aws:s3:::ml-api-logs-{SUFFIX}-{ACCOUNT}-us-east-1"
    assert verdict(policies_for(scope, "apply"), Request("s3:TagResource", bucket)) is Verdict.ALLOWED


def test_a_log_group_is_named_as_iam_is_asked_about_it() -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, STRONGEST, {}), "us-east-1", ACCOUNT)
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/vpc/ml-api-{SUFFIX}"
    made = policies_for(scope, "apply")

    def allowed(action: str, arn: str) -> bool:
        return verdict(made, Request(action, arn)) is Verdict.ALLOWED

    # CloudWatch Logs asks so for the group itself, but for its tags.
    assert allowed("logs:CreateLogGroup", f"{group}:log-stream:")
    assert allowed("logs:PutRetentionPolicy", f"{group}:log-stream:")
    assert allowed("logs:TagResource", group)
    assert not allowed("logs:DeleteLogGroup", f"{group}2:log-stream:")
    assert reference.evaluated_arn("logs:DeleteLogGroup", group) == f"{group}:log-stream:"
    assert reference.evaluated_arn("logs:TagResource", group) == group


def test_rds_may_be_granted_the_key_for_the_database_and_for_its_secret() -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, FULL[1::2], {}), "us-east-1", ACCOUNT)
    ours = {"aws:ResourceTag/Environment": SUFFIX, "aws:ResourceTag/Project": "ml-api"}
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234"

    for service in ("rds", "secretsmanager"):
        told = {**ours, "kms:ViaService": f"{service}.us-east-1.amazonaws.com"}
        context = {name: (value,) for name, value in told.items()}
        asked = Request("kms:CreateGrant", key, context, lambda: {"Environment": SUFFIX, "Project": "ml-api"})
        assert verdict(policies_for(scope, "apply"), asked) is Verdict.ALLOWED


@pytest.mark.parametrize("sets", [("profile=seed",), FULL[1::2]])
@pytest.mark.parametrize("purpose", ["apply", "deploy"])
def test_who_has_a_service_scaled_may_what_application_auto_scaling_tries(purpose: str, sets: tuple[str, ...]) -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, sets, {}), "us-east-1", ACCOUNT)
    made = policies_for(scope, purpose)
    service = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/ml-api-cluster-{SUFFIX}/ml-api-service-{SUFFIX}"
    alarms = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:"

    for action, on in (
        ("ecs:DescribeServices", service),
        ("ecs:UpdateService", service),
        ("cloudwatch:PutMetricAlarm", alarms),
        ("cloudwatch:DeleteAlarms", alarms),
        ("cloudwatch:DescribeAlarms", f"{alarms}*"),
    ):
        assert verdict(made, Request(action, on)) is Verdict.ALLOWED, action
    assert verdict(made, Request("cloudwatch:DeleteAlarms", f"{alarms}theirs")) is not Verdict.ALLOWED


@pytest.mark.parametrize("purpose", ["apply", "status", "deploy", "exec", "doctor"])
def test_a_list_of_tasks_is_asked_of_all(purpose: str) -> None:
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, STRONGEST, {}), "us-east-1", ACCOUNT)

    # Where no container instance is named, IAM is asked about none.
    assert verdict(policies_for(scope, purpose), Request("ecs:ListTasks", "*")) is Verdict.ALLOWED


@pytest.mark.parametrize("purpose", ["apply", "teardown"])
def test_who_hangs_on_ours_may_be_asked(purpose: str) -> None:
    """A group, a web ACL ask other services who keeps them: by what the kinds there are allowed."""
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, FULL[1::2], {}), "us-east-1", ACCOUNT)
    made = [one for one in statements(policies_for(scope, purpose)) if one["Effect"] == "Allow"]
    allowed = {name for one in made for name in one["Action"]}

    assert {"rds:DescribeDBClusters", "rds:DescribeDBInstances", "ecs:DescribeTasks"} <= allowed
    assert {"ecs:ListTasks", "cloudfront:ListDistributions", "cloudfront:ListTagsForResource"} <= allowed


def sample() -> list[str]:
    """One statement that is taken away in a run; all of them for `make rights`."""
    if os.environ.get("RIGHTS") != "all":
        return ["IamPassRoleByService"]
    scope = PolicyScope(Workspace.here(), SUFFIX, load_settings(None, FULL[1::2], {}), "us-east-1", ACCOUNT)
    listed = statements(policies_for(scope, "apply"))
    return [one["Sid"] for one in listed if one["Effect"] == "Allow" and not set(one["Action"]) <= SPARE]


@pytest.mark.parametrize("sid", sample())
@pytest.mark.slow
def test_a_run_without_a_statement_ends_with_the_action_named(user: User, sid: str) -> None:
    given = policies(user, "apply")
    taken = next(one for one in statements(given) if one["Sid"] == sid)
    user.box.authorise(*without(given, sid))
    try:
        ran = user.run("apply", "--yes", "--suffix", SUFFIX, *FULL)
        if ran.code == 0:
            meddle(user.box)
            user.box.authorise(*without(given, sid))
            ran = user.run("apply", "--yes", "--suffix", SUFFIX, *CHANGED)
    finally:
        user.box.authorise()

    assert ran.code != 0
    named = any(f"not authorized to perform: {action} on resource: " in ran.err for action in taken["Action"])
    # S3's answer to a HEAD has no body that could name the action.
    assert named or "s3:ListBucket" in taken["Action"]
    assert "Traceback" not in ran.err
