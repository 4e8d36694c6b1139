"""Each call that changes something is classed once: whether it replaces a whole document."""

from __future__ import annotations

import re

import pytest

from provisioner.iam import reference
from provisioner.resources import RESOURCE_TYPES
from tests.resources.test_declared_calls import DECLARED, PROVISIONER
from tests.support.called_operations import VERBS, operations

# What makes something that was not there, or ends it, or sets tags one by one.
ONE_BY_ONE = (
    "Abort Add Allocate Associate Attach Authorize Create Delete Deregister Detach Disable Disassociate"
    " Enable Execute Release Remove Request Restore Revoke Run Schedule Start Stop Subscribe Tag"
    " Unsubscribe Untag"
)
# What the call takes replaces all that was said before: ours is laid over what stands (`Kind.replaces`).
WHOLE = {
    "application-autoscaling": "PutScalingPolicy",
    "cloudfront": "UpdateDistribution",
    "cloudwatch": "PutDashboard PutMetricAlarm",
    "dynamodb": "UpdateContinuousBackups",
    "ecs": "UpdateCluster UpdateService",  # each of its documents, where it is sent
    "events": "PutRule PutTargets",
    "iam": "CreatePolicyVersion PutRolePolicy UpdateAssumeRolePolicy UpdateRole",
    "kms": "PutKeyPolicy",
    "logs": "PutDeliveryDestination",
    "s3": "PutBucketEncryption PutBucketLifecycleConfiguration PutBucketPolicy PutPublicAccessBlock",
    "secretsmanager": "RotateSecret",
    "sns": "SetTopicAttributes",
    "wafv2": "PutLoggingConfiguration UpdateWebACL",
}
# It changes what it names and leaves the rest, or what it takes is one value.
NAMED = {
    "application-autoscaling": "RegisterScalableTarget",
    "dynamodb": "UpdateTable UpdateTimeToLive",
    "ec2": "ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint ReplaceRoute ReplaceRouteTableAssociation",
    "elbv2": "ModifyListenerAttributes ModifyLoadBalancerAttributes ModifyTargetGroup"
    " ModifyTargetGroupAttributes SetIpAddressType SetRulePriorities",
    "iam": "PutRolePermissionsBoundary",
    "kms": "UpdateAlias UpdateKeyDescription",
    "logs": "PutBearerTokenAuthentication PutLogGroupDeletionProtection PutRetentionPolicy",
    "rds": "ModifyDBCluster ModifyDBClusterParameterGroup ModifyDBInstance",
    "secretsmanager": "PutSecretValue UpdateSecret UpdateSecretVersionStage",
    "sns": "SetTopicAttributes",
}
# It replaces a list or a record that is ours whole: what somebody added is a difference, told by the plan.
OURS = {
    "ec2": "ModifySecurityGroupRules",
    "ecs": "PutClusterCapacityProviders",
    "elbv2": "ModifyListener ModifyRule SetSecurityGroups SetSubnets",
    "rds": "ModifyDBSubnetGroup",
    "route53": "ChangeResourceRecordSets",
}
# What stands is read and sent back by whoever makes the call; in `bucket/` the rest of them, too.
BY_THEMSELVES = {"s3": "PutBucketTagging PutBucketVersioning"}
# What is made where there is none only, or by whoever knows all that stands.
BORN = {"ecs": "RegisterTaskDefinition", "logs": "PutDeliverySource", "s3": "PutObject"}
TABLES = (WHOLE, NAMED, OURS, BY_THEMSELVES, BORN)


def listed(table: dict[str, str]) -> set[tuple[str, str]]:
    return {(service, one) for service, named in table.items() for one in named.split()}


def words_of(folder: str) -> set[str]:
    """Whatever is called, or handed on, as a method in the modules of a folder."""
    sources = (path.read_text() for path in (PROVISIONER / folder).glob("*.py"))
    return {word for source in sources for word in re.findall(r"\.(\w+)\b", source)}


def mutating() -> set[tuple[str, str]]:
    """Each call of the product that changes something."""
    of_kinds = {
        (resource_type.service, one)
        for resource_type in RESOURCE_TYPES.values()
        for verb in VERBS
        for one in resource_type.operations_of(verb)
    }
    besides = {
        (service, one.split()[0]) for calls in DECLARED.values() for service, all_ in calls.items() for one in all_
    }
    of_buckets = {("s3", one) for one in words_of("bucket") & operations("s3").keys()}
    of_buckets = {(service, operations("s3")[one]) for service, one in of_buckets}
    return {
        (service, one)
        for service, one in of_kinds | besides | of_buckets
        if not reference.require_action(reference.action_of(service, one)).only_reads
    }


def test_every_call_that_changes_something_is_classed() -> None:
    plain = {(service, one) for service, one in mutating() if one.startswith(tuple(ONE_BY_ONE.split()))}
    classed = set().union(*map(listed, TABLES))

    assert mutating() - plain - classed == set()
    assert classed - mutating() == set()


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_a_resource_type_lays_ours_over_what_stands_for_each_of_its_calls_that_replace(name: str) -> None:
    resource_type = RESOURCE_TYPES[name]
    calls = {(resource_type.service, one) for one in resource_type.operations_of("update")} & listed(WHOLE)

    single = {("sns", "SetTopicAttributes")} if name == "Topic" else set()  # its key is one value
    assert {(resource_type.service, one) for one in resource_type.replacing_calls} == calls - single
