"""CloudWatch Logs: retention, keys, deletion protection and tags of log groups, and sources of deliveries."""

from __future__ import annotations

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

# botocore ServiceModel, RetentionInDays.
RETENTION = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


@always.before("logs", "PutRetentionPolicy")
def set_retention(call: Call) -> None:
    """Refuse a retention in days that AWS does not offer."""
    days = call.params["retentionInDays"]
    if days not in RETENTION:
        raise AwsError(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint:"
            f" Member must satisfy enum value set: {list(RETENTION)}",
        )


@always.before("logs", "AssociateKmsKey", "DisassociateKmsKey")
def set_key(call: Call) -> Reply | None:
    """Give a log group another KMS key, or none."""
    params = call.params
    name = params.get("logGroupName") or params.get("resourceIdentifier", "").split(":log-group:")[-1]
    group = backend("logs", call.account, call.region).groups.get(name.removesuffix(":*"))
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    group.kms_key_id = params.get("kmsKeyId")
    return {}


# Deletion protection by group name, which moto lacks: botocore 1.44.5, PutLogGroupDeletionProtection.
_protected: AccountStore[bool] = AccountStore()


def protect(call: Call, name: str, *, on: bool) -> None:
    """Turn deletion protection of a log group on or off."""
    _protected.of(call)[name] = on


@always.after("logs", "CreateLogGroup")
def protect_new_group(call: Call, _: Reply) -> None:
    """Set the deletion protection of a new log group as its create call asks."""
    protect(call, call.params["logGroupName"], on=bool(call.params.get("deletionProtectionEnabled")))


@always.before("logs", "PutLogGroupDeletionProtection")
def set_protection(call: Call) -> Reply:
    """Turn deletion protection on or off for a log group that is named by name or ARN."""
    name = call.params["logGroupIdentifier"].split(":log-group:")[-1].removesuffix(":*")
    if name not in backend("logs", call.account, call.region).groups:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    protect(call, name, on=call.params["deletionProtectionEnabled"])
    return {}


# Token authentication by group name, which moto lacks: botocore 1.44.5, PutBearerTokenAuthentication.
_by_token: AccountStore[bool] = AccountStore()


@always.before("logs", "PutBearerTokenAuthentication")
def set_bearer_tokens(call: Call) -> Reply:
    """Turn bearer token authentication on or off for a log group that is named by name or ARN."""
    name = call.params["logGroupIdentifier"].split(":log-group:")[-1].removesuffix(":*")
    if name not in backend("logs", call.account, call.region).groups:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    _by_token.of(call)[name] = call.params["bearerTokenAuthenticationEnabled"]
    return {}


@always.after("logs", "DescribeLogGroups")
def add_protections(call: Call, reply: Reply) -> None:
    """Add to each log group whether it has deletion protection and bearer token authentication."""
    for group in reply["logGroups"]:
        name = group["logGroupName"]
        group["deletionProtectionEnabled"] = _protected.of(call).get(name, False)
        group["bearerTokenAuthenticationEnabled"] = _by_token.of(call).get(name, False)


@always.before("logs", "DeleteLogGroup")
def delete(call: Call) -> None:
    """Refuse to delete a protected log group; of another one delete the tags, which moto would keep.

    Source of the code: floci-io/floci#2256, botocore's list for DeleteLogGroup.
    """
    if _protected.of(call).get(call.params["logGroupName"]):
        raise AwsError("ValidationException", "The log group has deletion protection enabled and cannot be deleted.")
    _protected.of(call).pop(call.params["logGroupName"], None)
    _by_token.of(call).pop(call.params["logGroupName"], None)
    logs = backend("logs", call.account, call.region)
    if group := logs.groups.get(call.params["logGroupName"]):
        logs.tagger.delete_all_tags_for_resource(group.arn)


@always.before("logs", "PutDeliverySource")
def refuse_taken(call: Call) -> None:
    """Refuse a second delivery source for the same resource and log type.

    Source of the message: hashicorp/terraform-provider-aws#40885.
    """
    name, arn, kind = (call.params[key] for key in ("name", "resourceArn", "logType"))
    sources = backend("logs", call.account, call.region).delivery_sources.values()
    if any(source.name != name and arn in source.resource_arns and source.log_type == kind for source in sources):
        raise AwsError(
            "ConflictException", "This ResourceId has already been used in another Delivery Source in this account."
        )
