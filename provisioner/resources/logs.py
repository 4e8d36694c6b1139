"""CloudWatch Logs: log groups and their retention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.field_owners.iam_and_logs import LOG_GROUP, RETENTION
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tags import read_tags
from provisioner.service_clients import CloudWatchLogs

# Part of the name of every log group of every stack: one answer serves them all.
_NAME_PATTERN = "ml-api-"
_BUSY = codes("OperationAbortedException")
# CloudWatch Logs does not know a new key, or its policy, at once.
_KEY_NOT_VISIBLE_YET = codes("InvalidParameterException: kms key")
# The retention of an account's policy that sets no days (botocore logs PutAccountPolicy, policyDocument).
_NEVER_EXPIRES = "NEVER_EXPIRE"


class LogGroup(ResourceType):
    """A log group that only the stack creates."""

    deleted_at_reply = True
    service, id_paths, name_property = "logs", "logGroupName", "logGroupName"
    max_name_length = 512
    pricing = Pricing(by_use="logs")
    ownership = LOG_GROUP
    immutable = frozenset({"logGroupName"})
    defaults = {"kmsKeyId": ""}
    # CloudWatch Logs user guide, protecting-log-groups-from-deletion: an organisation may turn it on.
    unprotected = {"deletionProtectionEnabled": False}
    unprotect_command = (
        "aws logs put-log-group-deletion-protection --log-group-identifier {logGroupName} "
        "--no-deletion-protection-enabled"
    )
    not_found_codes = codes("ResourceNotFoundException")
    already_exists_codes = codes("ResourceAlreadyExistsException")
    retryable_codes = {"create": _BUSY | _KEY_NOT_VISIBLE_YET, "update": _BUSY | _KEY_NOT_VISIBLE_YET, "delete": _BUSY}
    iam_type, arn_properties = "log-group", ("{logGroupName}",)
    operations = declare_operations(
        read="DescribeLogGroups ListTagsForResource",
        create="CreateLogGroup",
        update=("AssociateKmsKey DisassociateKmsKey PutBearerTokenAuthentication PutLogGroupDeletionProtection"),
        retag="TagResource UntagResource DescribeLogGroups",
        delete="DeleteLogGroup",
    )

    def read(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject | None:
        """Read the group with DescribeLogGroups, and its tags by its ARN without the final `:*`."""
        actual = find_log_group(logs, spec.props["logGroupName"])
        if actual is None:
            return None
        tags = read_tags(logs, spec, _group_arn(actual), lambda: _list_tags(logs, actual))
        return {"kmsKeyId": "", **actual, "Tags": tags}

    def create(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject:
        """Create the group with CreateLogGroup."""
        logs.create_log_group(**spec.props, tags=dict(spec.tags))
        return dict(spec.props)

    def update(self, logs: CloudWatchLogs, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the key, the deletion protection, and whether a bearer token is enough to write."""
        if "deletionProtectionEnabled" in changed:
            logs.put_log_group_deletion_protection(
                logGroupIdentifier=spec.id, deletionProtectionEnabled=changed["deletionProtectionEnabled"]
            )
        if "bearerTokenAuthenticationEnabled" in changed:
            logs.put_bearer_token_authentication(
                logGroupIdentifier=spec.id, bearerTokenAuthenticationEnabled=changed["bearerTokenAuthenticationEnabled"]
            )
        if key := changed.get("kmsKeyId"):
            logs.associate_kms_key(logGroupName=spec.id, kmsKeyId=key)
        elif "kmsKeyId" in changed:
            logs.disassociate_kms_key(logGroupName=spec.id)

    def retag(self, logs: CloudWatchLogs, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        actual = find_log_group(logs, spec.id)
        if actual is None:
            return
        if put:
            logs.tag_resource(resourceArn=_group_arn(actual), tags=dict(put))
        if removed_keys := list(drop):
            logs.untag_resource(resourceArn=_group_arn(actual), tagKeys=removed_keys)

    def data_loss(self, props: JsonObject) -> str:
        """Return what a deletion loses: the logs in the group."""
        return f"the logs in {props['logGroupName']}"

    def delete(self, logs: CloudWatchLogs, spec: ResourceSpec) -> None:
        """Delete the group with DeleteLogGroup."""
        logs.delete_log_group(logGroupName=spec.id)


class ServiceLogGroup(LogGroup):
    """A log group that an AWS service writes to; the service creates a missing one without tags or expiry."""

    adopts_untagged = True
    pricing = FREE


class Retention(SubresourceType):
    """The retention of a log group, in days."""

    service, id_paths = "logs", "logGroupName"
    ownership = RETENTION
    not_found_codes = codes("ResourceNotFoundException")
    retryable_codes = {"create": codes("OperationAbortedException"), "update": codes("OperationAbortedException")}
    # botocore 1.44.5 logs LogGroup, retentionPolicyName: returned only while a policy of the account applies.
    # AWS then returns and uses the policy's days. PutRetentionPolicy is still accepted, and its days apply
    # once the policy no longer does.
    field_owners = {
        "retentionInDays": FieldOwner(
            "the account's log retention policy {retentionPolicyName}", shown_by="retentionPolicyName", restores=True
        )
    }
    iam_type, arn_properties = "log-group", ("{logGroupName}",)
    operations = declare_operations(read="DescribeLogGroups", create="PutRetentionPolicy", update="PutRetentionPolicy")

    def read(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject | None:
        """Read the retention of the group, and the account's policy if one sets it."""
        actual = find_log_group(logs, spec.props["logGroupName"])
        if actual is None:
            return None
        policy = actual.get("retentionPolicyName")
        return {
            "logGroupName": actual["logGroupName"],
            "retentionInDays": actual.get("retentionInDays", _NEVER_EXPIRES if policy else None),
            "retentionPolicyName": policy,
        }

    def apply(self, logs: CloudWatchLogs, props: JsonObject) -> None:
        """Set the retention with PutRetentionPolicy."""
        logs.put_retention_policy(**props)


def find_log_group(logs: CloudWatchLogs, name: str) -> JsonObject | None:
    """Return the group of exactly this name, or None."""
    groups = logs.describe_log_groups(logGroupNamePattern=_NAME_PATTERN)["logGroups"]
    return next((dict(group) for group in groups if group["logGroupName"] == name), None)


def _list_tags(logs: CloudWatchLogs, actual: JsonObject) -> dict[str, str]:
    return dict(logs.list_tags_for_resource(resourceArn=_group_arn(actual))["tags"])


def _group_arn(actual: JsonObject) -> str:
    return str(actual["arn"]).removesuffix(":*")
