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
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack, tags
from tests.support.manual_changes import CLUSTER, TABLE, settle
from tests.support.manual_changes_production import GLOBAL, bucket, key, topic, web_acl
from tests.support.user import User

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
    read: Callable[[LiveStack], Doc]
    put: Callable[[LiveStack, Doc], Any]
    theirs: Doc
    broken: Doc

    def act(self, live_stack: LiveStack) -> None:
        self.put(live_stack, over(over(self.read(live_stack), self.theirs), self.broken))


def over(doc: Any, more: Any) -> Any:
    """A document with more in it; of a list that has one item, in that."""
    if isinstance(doc, list) and len(doc) == 1 and isinstance(more, dict):
        return [over(doc[0], more)]
    if isinstance(doc, dict) and isinstance(more, dict):
        return doc | {name: over(doc.get(name), one) for name, one in more.items()}
    return more


def holds(doc: Any, more: Any) -> bool:
    return bool(over(doc, more) == doc)


def acl(live_stack: LiveStack) -> Doc:
    told = {"ARN", "Capacity", "LabelNamespace", "ManagedByFirewallManager", "RetrofittedByFirewallManager"}
    told |= {"PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups"}
    return {"Scope": "CLOUDFRONT"} | {name: one for name, one in web_acl(live_stack).items() if name not in told}


def acl_log(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("wafv2", GLOBAL).get_logging_configuration(ResourceArn=web_acl(live_stack)["ARN"])
    return dict(told["LoggingConfiguration"])


def alarm(live_stack: LiveStack) -> Doc:
    told = {"AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateTransitionedTimestamp", "EvaluationState"}
    listed = live_stack.aws("cloudwatch").describe_alarms(AlarmNamePrefix="ml-api-")["MetricAlarms"]
    found = min(listed, key=lambda one: one["AlarmName"])
    return {key: one for key, one in found.items() if key not in told and not key.startswith("State")}


def rule(live_stack: LiveStack) -> Doc:
    events = live_stack.aws("events")
    (name,) = [one["Name"] for one in events.list_rules(NamePrefix="ml-api-")["Rules"]]
    told = events.describe_rule(Name=name)
    return {key: told[key] for key in ("Name", "EventPattern", "State", "Description", "RoleArn") if key in told}


def target(live_stack: LiveStack) -> Doc:
    name = rule(live_stack)["Name"]
    (one,) = live_stack.aws("events").list_targets_by_rule(Rule=name)["Targets"]
    return {"Rule": name, "Targets": [one]}


def dashboard(live_stack: LiveStack) -> Doc:
    name = f"ml-api-dashboard-{SUFFIX}"
    told = live_stack.aws("cloudwatch").get_dashboard(DashboardName=name)
    return {"DashboardName": name, "DashboardBody": json.loads(told["DashboardBody"])}


def put_dashboard(live_stack: LiveStack, doc: Doc) -> None:
    body = json.dumps(doc["DashboardBody"])
    live_stack.aws("cloudwatch").put_dashboard(DashboardName=doc["DashboardName"], DashboardBody=body)


def encryption(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("s3").get_bucket_encryption(Bucket=bucket(live_stack))
    return {"ServerSideEncryptionConfiguration": told["ServerSideEncryptionConfiguration"]}


def lifecycle(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("s3").get_bucket_lifecycle_configuration(Bucket=bucket(live_stack))
    size = "TransitionDefaultMinimumObjectSize"
    return {"LifecycleConfiguration": {"Rules": told["Rules"]}, size: told[size]}


def of_bucket(call: str) -> Callable[[LiveStack, Doc], Any]:
    return lambda live_stack, doc: getattr(live_stack.aws("s3"), call)(Bucket=bucket(live_stack), **doc)


def bucket_policy(live_stack: LiveStack) -> Doc:
    return dict(json.loads(live_stack.aws("s3").get_bucket_policy(Bucket=bucket(live_stack))["Policy"]))


def topic_policy(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("sns").get_topic_attributes(TopicArn=topic(live_stack))["Attributes"]
    return dict(json.loads(told["Policy"]))


def put_topic_policy(live_stack: LiveStack, doc: Doc) -> None:
    live_stack.aws("sns").set_topic_attributes(
        TopicArn=topic(live_stack), AttributeName="Policy", AttributeValue=json.dumps(doc)
    )


def key_policy(live_stack: LiveStack) -> Doc:
    return dict(json.loads(live_stack.aws("kms").get_key_policy(KeyId=key(live_stack), PolicyName="default")["Policy"]))


def trust(live_stack: LiveStack) -> Doc:
    return dict(live_stack.aws("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"])


def inline(live_stack: LiveStack) -> tuple[str, Doc]:
    iam = live_stack.aws("iam")
    (name, *_) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    return name, dict(iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"])


def role(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("iam").get_role(RoleName=ROLE)["Role"]
    return {key: told[key] for key in ("RoleName", "Description", "MaxSessionDuration")}


def backups(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("dynamodb").describe_continuous_backups(TableName=TABLE)
    described = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    on = described["PointInTimeRecoveryStatus"] == "ENABLED"
    days = {"RecoveryPeriodInDays": described["RecoveryPeriodInDays"]} if on else {}
    return {"PointInTimeRecoveryEnabled": on, **days}


def destination(live_stack: LiveStack) -> Doc:
    logs = live_stack.aws("logs", GLOBAL)
    (one,) = logs.describe_delivery_destinations()["deliveryDestinations"]
    told = logs.get_delivery_destination(name=one["name"])["deliveryDestination"]
    return {key: one for key, one in told.items() if key not in ("arn", "tags", "deliveryDestinationType")}


def cluster(live_stack: LiveStack) -> Doc:
    (told,) = live_stack.aws("ecs").describe_clusters(clusters=[CLUSTER], include=["CONFIGURATIONS"])["clusters"]
    return {"configuration": told["configuration"]}


def service(live_stack: LiveStack) -> Doc:
    (one,) = live_stack.aws("ecs").describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    return {key: one[key] for key in ("deploymentConfiguration", *BESIDE) if key in one}


def rotation(live_stack: LiveStack) -> Doc:
    told = live_stack.aws("secretsmanager").describe_secret(SecretId=live_stack.secret)
    return {"RotationRules": told["RotationRules"]}


def distribution(live_stack: LiveStack) -> Doc:
    return live_stack.distribution


def put_distribution(live_stack: LiveStack, doc: Doc) -> None:
    cloudfront = live_stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    etag = cloudfront.get_distribution_config(Id=id_)["ETag"]
    cloudfront.update_distribution(Id=id_, IfMatch=etag, DistributionConfig=doc)
    settle(lambda: live_stack.distribution["PriceClass"])


def bucket_tags(live_stack: LiveStack) -> Doc:
    return tags(live_stack.aws("s3").get_bucket_tagging(Bucket=bucket(live_stack))["TagSet"])


def tag_bucket(live_stack: LiveStack, doc: Doc) -> None:
    """A service of AWS's sets its own tag, and somebody another."""
    system_tags.at(ACCOUNT, "")[bucket(live_stack)] = AWSS_OWN
    tagging = {"TagSet": pairs(doc)}
    live_stack.aws("s3").put_bucket_tagging(Bucket=bucket(live_stack), Tagging=tagging)


AWSS_OWN = {"aws:cloudformation:stack-name": "theirs"}
ONE_BODY = {"busy": {"Content": "later", "ContentType": "TEXT_PLAIN"}}
FOREIGN = [
    # Without AWS's own among them S3 refuses all others.
    Foreign("logs-bucket", bucket_tags, tag_bucket, AWSS_OWN, {"by": "hand"}),
    Foreign(
        "waf",
        acl,
        lambda live_stack, doc: live_stack.aws("wafv2", GLOBAL).update_web_acl(**doc),
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
        lambda live_stack, doc: live_stack.aws("wafv2", GLOBAL).put_logging_configuration(LoggingConfiguration=doc),
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
        lambda live_stack, doc: live_stack.aws("cloudwatch").put_metric_alarm(**doc),
        {"InsufficientDataActions": [f"arn:aws:sns:us-east-1:{ACCOUNT}:pager"], "DatapointsToAlarm": 1},
        {"Threshold": 99.5},
    ),
    Foreign(
        "deployments",
        rule,
        lambda live_stack, doc: live_stack.aws("events").put_rule(**doc),
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/theirs"},
        {"State": "DISABLED"},
    ),
    Foreign(
        "deployments-alerts",
        target,
        lambda live_stack, doc: live_stack.aws("events").put_targets(**doc),
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
        lambda live_stack, doc: live_stack.aws("s3").put_bucket_policy(
            Bucket=bucket(live_stack), Policy=json.dumps(doc)
        ),
        {"Id": "audit-7"},
        {"Statement": []},
    ),
    Foreign("alerts-policy", topic_policy, put_topic_policy, {"Id": "audit-7"}, {"Statement": []}),
    Foreign(
        "key",
        key_policy,
        lambda live_stack, doc: live_stack.aws("kms").put_key_policy(
            KeyId=key(live_stack), PolicyName="default", Policy=json.dumps(doc)
        ),
        {"Id": "audit-7"},
        {"Statement": [{"Sid": "ByHand", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    ),
    Foreign(
        "task-role",
        trust,
        lambda live_stack, doc: live_stack.aws("iam").update_assume_role_policy(
            RoleName=ROLE, PolicyDocument=json.dumps(doc)
        ),
        {"Id": "audit-7"},
        {"Statement": {"Principal": {"Service": "ec2.amazonaws.com"}}},
    ),
    Foreign(
        "task-role",
        role,
        lambda live_stack, doc: live_stack.aws("iam").update_role(**doc),
        {"MaxSessionDuration": 7200},
        {"Description": "by hand"},
    ),
    Foreign(
        "task-policy",
        lambda live_stack: inline(live_stack)[1],
        lambda live_stack, doc: live_stack.aws("iam").put_role_policy(
            RoleName=ROLE, PolicyName=inline(live_stack)[0], PolicyDocument=json.dumps(doc)
        ),
        {"Id": "audit-7"},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    ),
    Foreign(
        "records-destination",
        destination,
        lambda live_stack, doc: live_stack.aws("logs", GLOBAL).put_delivery_destination(**doc),
        {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/theirs"},
        {"deliveryDestinationConfiguration": {"destinationResourceArn": "arn:aws:s3:::elsewhere"}},
    ),
    Foreign(
        "cluster",
        cluster,
        lambda live_stack, doc: live_stack.aws("ecs").update_cluster(cluster=CLUSTER, **doc),
        {"configuration": {"managedStorageConfiguration": {"kmsKeyId": "theirs"}}},
        {"configuration": {"executeCommandConfiguration": {"logging": "NONE"}}},
    ),
    Foreign(
        "service",
        service,
        lambda live_stack, doc: live_stack.aws("ecs").update_service(
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
        lambda live_stack, doc: live_stack.aws("secretsmanager").rotate_secret(
            SecretId=live_stack.secret, RotateImmediately=False, **doc
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
    plain = User.before(served, tmp_path_factory.mktemp("foreign") / "home")
    live_stack = LiveStack.of(dataclasses.replace(plain, environment=SETTINGS))
    former = [one.read(live_stack) for one in FOREIGN]
    for one in FOREIGN:
        one.act(live_stack)
    live_stack.desk.apply(SUFFIX)
    return {"stack": live_stack, "former": former}


@pytest.mark.parametrize("at", range(len(FOREIGN)), ids=[f"{one.node}-{next(iter(one.theirs))}" for one in FOREIGN])
def test_what_others_set_outlives_an_apply_that_sets_ours_back(stood: dict[str, Any], at: int) -> None:
    foreign, before = FOREIGN[at], stood["former"][at]

    now = foreign.read(stood["stack"])

    assert holds(now, foreign.theirs), now
    assert not holds(before, foreign.theirs)
    assert not holds(now, foreign.broken), now
