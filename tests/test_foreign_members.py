"""What somebody set in a document of ours outlives an apply that sets the rest of the document back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.emulator.patches.s3 import system_tags
from provisioner.emulator.server import LocalAws
from provisioner.resources.tags import pairs
from tests.hands import CLUSTER, TABLE, settle
from tests.hands_of_production import GLOBAL, bucket, key, topic, web_acl
from tests.harness import Desk
from tests.standing import ACCOUNT, SUFFIX, Standing, tags

pytestmark = pytest.mark.xdist_group("foreign-members")
SETTINGS = {
    "MLAPI_PROFILE": "production",
    "MLAPI_ALARMS__EMAILS": '["ops@shop.example"]',
    "MLAPI_DATABASE__ROTATION_DAYS": "30",
    "MLAPI_ENCRYPTION__KEY": "own",
    "MLAPI_SERVICE__EXEC": "true",
    "MLAPI_CONTAINER__READONLY_ROOT": "false",
}
Doc = dict[str, Any]
SERVICE = f"ml-api-service-{SUFFIX}"
# What UpdateService leaves as it is where a call says nothing of it (botocore 1.44.5, UpdateService).
BESIDE = ("availabilityZoneRebalancing", "platformVersion")
ROLE = f"ml-api-task-role-{SUFFIX}"


@dataclass(frozen=True)
class Foreign:
    """A member of a document that is nobody's, beside one of ours that is set back.

    `read` gives the document as the call takes it, and `put` makes the call.
    """

    node: str
    read: Callable[[Standing], Doc]
    put: Callable[[Standing, Doc], Any]
    theirs: Doc
    broken: Doc

    def act(self, stack: Standing) -> None:
        self.put(stack, over(over(self.read(stack), self.theirs), self.broken))


def over(doc: Any, more: Any) -> Any:
    """A document with more in it; of a list that has one item, in that."""
    if isinstance(doc, list) and len(doc) == 1 and isinstance(more, dict):
        return [over(doc[0], more)]
    if isinstance(doc, dict) and isinstance(more, dict):
        return doc | {name: over(doc.get(name), one) for name, one in more.items()}
    return more


def holds(doc: Any, more: Any) -> bool:
    return bool(over(doc, more) == doc)


def acl(stack: Standing) -> Doc:
    told = {"ARN", "Capacity", "LabelNamespace", "ManagedByFirewallManager", "RetrofittedByFirewallManager"}
    told |= {"PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups"}
    return {"Scope": "CLOUDFRONT"} | {name: one for name, one in web_acl(stack).items() if name not in told}


def acl_log(stack: Standing) -> Doc:
    told = stack.aws("wafv2", GLOBAL).get_logging_configuration(ResourceArn=web_acl(stack)["ARN"])
    return dict(told["LoggingConfiguration"])


def alarm(stack: Standing) -> Doc:
    told = {"AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateTransitionedTimestamp", "EvaluationState"}
    listed = stack.aws("cloudwatch").describe_alarms(AlarmNamePrefix="ml-api-")["MetricAlarms"]
    found = min(listed, key=lambda one: one["AlarmName"])
    return {key: one for key, one in found.items() if key not in told and not key.startswith("State")}


def rule(stack: Standing) -> Doc:
    events = stack.aws("events")
    (name,) = [one["Name"] for one in events.list_rules(NamePrefix="ml-api-")["Rules"]]
    told = events.describe_rule(Name=name)
    return {key: told[key] for key in ("Name", "EventPattern", "State", "Description", "RoleArn") if key in told}


def target(stack: Standing) -> Doc:
    name = rule(stack)["Name"]
    (one,) = stack.aws("events").list_targets_by_rule(Rule=name)["Targets"]
    return {"Rule": name, "Targets": [one]}


def dashboard(stack: Standing) -> Doc:
    name = f"ml-api-dashboard-{SUFFIX}"
    told = stack.aws("cloudwatch").get_dashboard(DashboardName=name)
    return {"DashboardName": name, "DashboardBody": json.loads(told["DashboardBody"])}


def put_dashboard(stack: Standing, doc: Doc) -> None:
    body = json.dumps(doc["DashboardBody"])
    stack.aws("cloudwatch").put_dashboard(DashboardName=doc["DashboardName"], DashboardBody=body)


def encryption(stack: Standing) -> Doc:
    told = stack.aws("s3").get_bucket_encryption(Bucket=bucket(stack))
    return {"ServerSideEncryptionConfiguration": told["ServerSideEncryptionConfiguration"]}


def lifecycle(stack: Standing) -> Doc:
    told = stack.aws("s3").get_bucket_lifecycle_configuration(Bucket=bucket(stack))
    size = "TransitionDefaultMinimumObjectSize"
    return {"LifecycleConfiguration": {"Rules": told["Rules"]}, size: told[size]}


def of_bucket(call: str) -> Callable[[Standing, Doc], Any]:
    return lambda stack, doc: getattr(stack.aws("s3"), call)(Bucket=bucket(stack), **doc)


def bucket_policy(stack: Standing) -> Doc:
    return dict(json.loads(stack.aws("s3").get_bucket_policy(Bucket=bucket(stack))["Policy"]))


def topic_policy(stack: Standing) -> Doc:
    told = stack.aws("sns").get_topic_attributes(TopicArn=topic(stack))["Attributes"]
    return dict(json.loads(told["Policy"]))


def put_topic_policy(stack: Standing, doc: Doc) -> None:
    stack.aws("sns").set_topic_attributes(TopicArn=topic(stack), AttributeName="Policy", AttributeValue=json.dumps(doc))


def key_policy(stack: Standing) -> Doc:
    return dict(json.loads(stack.aws("kms").get_key_policy(KeyId=key(stack), PolicyName="default")["Policy"]))


def trust(stack: Standing) -> Doc:
    return dict(stack.aws("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"])


def inline(stack: Standing) -> tuple[str, Doc]:
    iam = stack.aws("iam")
    (name, *_) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    return name, dict(iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"])


def role(stack: Standing) -> Doc:
    told = stack.aws("iam").get_role(RoleName=ROLE)["Role"]
    return {key: told[key] for key in ("RoleName", "Description", "MaxSessionDuration")}


def backups(stack: Standing) -> Doc:
    told = stack.aws("dynamodb").describe_continuous_backups(TableName=TABLE)
    described = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    on = described["PointInTimeRecoveryStatus"] == "ENABLED"
    days = {"RecoveryPeriodInDays": described["RecoveryPeriodInDays"]} if on else {}
    return {"PointInTimeRecoveryEnabled": on, **days}


def destination(stack: Standing) -> Doc:
    logs = stack.aws("logs", GLOBAL)
    (one,) = logs.describe_delivery_destinations()["deliveryDestinations"]
    told = logs.get_delivery_destination(name=one["name"])["deliveryDestination"]
    return {key: one for key, one in told.items() if key not in ("arn", "tags", "deliveryDestinationType")}


def cluster(stack: Standing) -> Doc:
    (told,) = stack.aws("ecs").describe_clusters(clusters=[CLUSTER], include=["CONFIGURATIONS"])["clusters"]
    return {"configuration": told["configuration"]}


def service(stack: Standing) -> Doc:
    (one,) = stack.aws("ecs").describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    return {key: one[key] for key in ("deploymentConfiguration", *BESIDE) if key in one}


def rotation(stack: Standing) -> Doc:
    told = stack.aws("secretsmanager").describe_secret(SecretId=stack.secret)
    return {"RotationRules": told["RotationRules"]}


def distribution(stack: Standing) -> Doc:
    return stack.distribution


def put_distribution(stack: Standing, doc: Doc) -> None:
    cloudfront = stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    etag = cloudfront.get_distribution_config(Id=id_)["ETag"]
    cloudfront.update_distribution(Id=id_, IfMatch=etag, DistributionConfig=doc)
    settle(lambda: stack.distribution["PriceClass"])


def bucket_tags(stack: Standing) -> Doc:
    return tags(stack.aws("s3").get_bucket_tagging(Bucket=bucket(stack))["TagSet"])


def tag_bucket(stack: Standing, doc: Doc) -> None:
    """A service of AWS's sets its own tag, and somebody another."""
    system_tags.at(ACCOUNT, "")[bucket(stack)] = AWSS_OWN
    tagging = {"TagSet": pairs(doc)}
    stack.aws("s3").put_bucket_tagging(Bucket=bucket(stack), Tagging=tagging)


AWSS_OWN = {"aws:cloudformation:stack-name": "theirs"}
ONE_BODY = {"busy": {"Content": "later", "ContentType": "TEXT_PLAIN"}}
FOREIGN = [
    # Without AWS's own among them S3 refuses all others.
    Foreign("logs-bucket", bucket_tags, tag_bucket, AWSS_OWN, {"by": "hand"}),
    Foreign(
        "waf",
        acl,
        lambda stack, doc: stack.aws("wafv2", GLOBAL).update_web_acl(**doc),
        {
            "TokenDomains": ["example.com"],
            "CaptchaConfig": {"ImmunityTimeProperty": {"ImmunityTime": 600}},
            "ChallengeConfig": {"ImmunityTimeProperty": {"ImmunityTime": 700}},
            "CustomResponseBodies": ONE_BODY,
            "OnSourceDDoSProtectionConfig": {"ALBLowReputationMode": "ACTIVE_UNDER_DDOS"},
        },
        {"VisibilityConfig": {"SampledRequestsEnabled": False}},
    ),
    Foreign(
        "waf-log",
        acl_log,
        lambda stack, doc: stack.aws("wafv2", GLOBAL).put_logging_configuration(LoggingConfiguration=doc),
        {
            "LoggingFilter": {
                "DefaultBehavior": "KEEP",
                "Filters": [
                    {
                        "Behavior": "DROP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [{"ActionCondition": {"Action": "ALLOW"}}],
                    }
                ],
            }
        },
        {"RedactedFields": [{"SingleHeader": {"Name": "authorization"}}]},
    ),
    Foreign(
        "alarm",
        alarm,
        lambda stack, doc: stack.aws("cloudwatch").put_metric_alarm(**doc),
        {"InsufficientDataActions": [f"arn:aws:sns:us-east-1:{ACCOUNT}:pager"], "DatapointsToAlarm": 1},
        {"Threshold": 99.5},
    ),
    Foreign(
        "deployments",
        rule,
        lambda stack, doc: stack.aws("events").put_rule(**doc),
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/theirs"},
        {"State": "DISABLED"},
    ),
    Foreign(
        "deployments-alerts",
        target,
        lambda stack, doc: stack.aws("events").put_targets(**doc),
        {"Targets": {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:lost"}}},
        {"Targets": {"Arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:elsewhere"}},
    ),
    Foreign(
        "dashboard",
        dashboard,
        put_dashboard,
        {"DashboardBody": {"periodOverride": "inherit"}},
        {"DashboardBody": {"widgets": []}},
    ),
    Foreign(
        "logs-bucket-encrypted",
        encryption,
        of_bucket("put_bucket_encryption"),
        {"ServerSideEncryptionConfiguration": {"Rules": {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}}},
        {
            "ServerSideEncryptionConfiguration": {
                "Rules": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
            }
        },
    ),
    Foreign(
        "logs-bucket-expiry",
        lifecycle,
        of_bucket("put_bucket_lifecycle_configuration"),
        {
            "TransitionDefaultMinimumObjectSize": "varies_by_storage_class",
            "LifecycleConfiguration": {"Rules": {"NoncurrentVersionExpiration": {"NoncurrentDays": 3}}},
        },
        {"LifecycleConfiguration": {"Rules": {"Expiration": {"Days": 3650}}}},
    ),
    Foreign(
        "logs-bucket-policy",
        bucket_policy,
        lambda stack, doc: stack.aws("s3").put_bucket_policy(Bucket=bucket(stack), Policy=json.dumps(doc)),
        {"Id": "audit-7"},
        {"Statement": []},
    ),
    Foreign("alerts-policy", topic_policy, put_topic_policy, {"Id": "audit-7"}, {"Statement": []}),
    Foreign(
        "key",
        key_policy,
        lambda stack, doc: stack.aws("kms").put_key_policy(
            KeyId=key(stack), PolicyName="default", Policy=json.dumps(doc)
        ),
        {"Id": "audit-7"},
        {"Statement": [{"Sid": "ByHand", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    ),
    Foreign(
        "task-role",
        trust,
        lambda stack, doc: stack.aws("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(doc)),
        {"Id": "audit-7"},
        {"Statement": {"Principal": {"Service": "ec2.amazonaws.com"}}},
    ),
    Foreign(
        "task-role",
        role,
        lambda stack, doc: stack.aws("iam").update_role(**doc),
        {"MaxSessionDuration": 7200},
        {"Description": "by hand"},
    ),
    Foreign(
        "task-policy",
        lambda stack: inline(stack)[1],
        lambda stack, doc: stack.aws("iam").put_role_policy(
            RoleName=ROLE, PolicyName=inline(stack)[0], PolicyDocument=json.dumps(doc)
        ),
        {"Id": "audit-7"},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    ),
    Foreign(
        "records-destination",
        destination,
        lambda stack, doc: stack.aws("logs", GLOBAL).put_delivery_destination(**doc),
        {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/theirs"},
        {"deliveryDestinationConfiguration": {"destinationResourceArn": "arn:aws:s3:::elsewhere"}},
    ),
    Foreign(
        "cluster",
        cluster,
        lambda stack, doc: stack.aws("ecs").update_cluster(cluster=CLUSTER, **doc),
        {"configuration": {"managedStorageConfiguration": {"kmsKeyId": "theirs"}}},
        {"configuration": {"executeCommandConfiguration": {"logging": "NONE"}}},
    ),
    Foreign(
        "service",
        service,
        lambda stack, doc: stack.aws("ecs").update_service(
            cluster=CLUSTER, service=SERVICE, forceNewDeployment=True, **doc
        ),
        {
            "deploymentConfiguration": {
                "alarms": {"alarmNames": ["theirs"], "enable": True, "rollback": True},
                "bakeTimeInMinutes": 7,
            },
            "availabilityZoneRebalancing": "DISABLED",
            "platformVersion": "1.4.0",
        },
        {"deploymentConfiguration": {"maximumPercent": 150}},
    ),
    Foreign(
        "rotation",
        rotation,
        lambda stack, doc: stack.aws("secretsmanager").rotate_secret(
            SecretId=stack.secret, RotateImmediately=False, **doc
        ),
        {"RotationRules": {"Duration": "3h"}},
        {"RotationRules": {"AutomaticallyAfterDays": 99}},
    ),
    Foreign(
        "edge",
        distribution,
        put_distribution,
        {
            "Logging": {
                "Enabled": True,
                "IncludeCookies": False,
                "Bucket": "b.s3.amazonaws.com",
                "Prefix": "",
            },
            "Origins": {"Items": {"ConnectionAttempts": 2}},
        },
        {"PriceClass": "PriceClass_200"},
    ),
]


@pytest.fixture(scope="module")
def stood(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What stands, and what was found before the apply, after all was done by hand at once."""
    plain = Desk.before(served, tmp_path_factory.mktemp("foreign") / "home")
    stack = Standing.of(dataclasses.replace(plain, environment=SETTINGS))
    former = [one.read(stack) for one in FOREIGN]
    for one in FOREIGN:
        one.act(stack)
    stack.desk.apply(SUFFIX)
    return {"stack": stack, "former": former}


@pytest.mark.parametrize("at", range(len(FOREIGN)), ids=[f"{one.node}-{next(iter(one.theirs))}" for one in FOREIGN])
def test_what_others_set_outlives_an_apply_that_sets_ours_back(stood: dict[str, Any], at: int) -> None:
    foreign, before = FOREIGN[at], stood["former"][at]

    now = foreign.read(stood["stack"])

    assert holds(now, foreign.theirs), now
    assert not holds(before, foreign.theirs)
    assert not holds(now, foreign.broken), now
