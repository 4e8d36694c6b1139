"""DynamoDB: a table, and the settings of a table that need calls of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of, default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import RetryLater
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.field_owners.databases_and_keys import BACKUPS, TABLE, TTL
from provisioner.resources.secretsmanager import RESOURCE_POLICY
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import DynamoDB

TABLE_NOT_FOUND = codes("ResourceNotFoundException", "TableNotFoundException")
# The table is still applying its last change, or the account has too many changes at once.
_BUSY = codes("ResourceInUseException", "LimitExceededException: simultaneously")
# A new KMS key is not known everywhere at once, least of all its tags, which may decide who can use it
# (aws/aws-cdk#18616).
_KEY_NOT_VISIBLE_YET = codes("AccessDeniedException: kms", "ValidationException: kms")
_POLICY_NOT_FOUND = codes("PolicyNotFoundException", "ResourceNotFoundException")
_BACKUPS_STARTING = codes("ContinuousBackupsUnavailableException", "ValidationException: backups are being enabled")

_RECOVERY_DAYS: Final = "RecoveryPeriodInDays"
_INDEX_REASON = "somebody's queries may read it"


class Table(ResourceType):
    """A DynamoDB table."""

    service, id_paths, name_property = "dynamodb", "TableName", "TableName"
    pricing = Pricing(by_use="table requests, storage and backups")
    ownership = TABLE
    ready, deleting = {"TableStatus": "ACTIVE"}, {"TableStatus": "DELETING"}
    # botocore dynamodb TableStatus
    status_classes = (
        StatusClasses(
            "TableStatus",
            in_lower_case("ACTIVE"),
            in_lower_case("CREATING UPDATING"),
            in_lower_case("INACCESSIBLE_ENCRYPTION_CREDENTIALS ARCHIVING ARCHIVED REPLICATION_NOT_AUTHORIZED"),
            in_lower_case("DELETING"),
        ),
    )
    immutable = frozenset({"TableName", "KeySchema", "AttributeDefinitions"})
    defaults = {"DeletionProtectionEnabled": False, "SSESpecification": {"Enabled": False}}
    holds_data = True
    unprotected = {"DeletionProtectionEnabled": False}
    unprotect_command = "aws dynamodb update-table --table-name {TableName} --no-deletion-protection-enabled"
    not_found_codes = TABLE_NOT_FOUND
    already_exists_codes = codes("ResourceInUseException")
    retryable_denials = _KEY_NOT_VISIBLE_YET
    retryable_codes = {
        "create": codes("LimitExceededException: simultaneously") | _KEY_NOT_VISIBLE_YET,
        "update": _BUSY | _KEY_NOT_VISIBLE_YET,
        "delete": _BUSY | _BACKUPS_STARTING,
    }
    typical_create_seconds, typical_delete_seconds, timeout = 10, 5, minutes(20)
    immutable_until_ready = True
    owns_children = True
    iam_type, arn_properties = "table", ("{TableName}",)
    operations = declare_operations(
        read="DescribeTable ListTagsOfResource",
        create="CreateTable",
        update="UpdateTable DescribeTable",
        retag="TagResource UntagResource DescribeTable",
        unmanaged="GetResourcePolicy",
        remove_unmanaged="DeleteResourcePolicy",
        delete="DeleteTable",
    )

    def read(self, dynamodb: DynamoDB, spec: ResourceSpec) -> JsonObject | None:
        """Read the table with DescribeTable, and its tags."""
        actual = dynamodb.describe_table(TableName=spec.props["TableName"])["Table"]
        arn = actual["TableArn"]
        tags = read_tags(dynamodb, spec, arn, lambda: _list_tags(dynamodb, arn))
        return {**_to_properties(actual), "Tags": tags}

    def create(self, dynamodb: DynamoDB, spec: ResourceSpec) -> JsonObject:
        """Create the table with CreateTable."""
        reply = dynamodb.create_table(**spec.props, Tags=pairs(spec.tags))
        return _to_properties(reply["TableDescription"])

    def update(self, dynamodb: DynamoDB, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the table; a change to PROVISIONED also gives the capacity of table and indexes."""
        units = spec.props.get("ProvisionedThroughput")
        capacity: dict[str, Any] = {}
        if "BillingMode" in changed and units:
            capacity = {"ProvisionedThroughput": units}
            updates = [{"Update": {"IndexName": name, **capacity}} for name in _index_names(dynamodb, spec)]
            capacity |= {"GlobalSecondaryIndexUpdates": updates} if updates else {}
        dynamodb.update_table(TableName=spec.id, **{**changed, **capacity})

    def retag(self, dynamodb: DynamoDB, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = dynamodb.describe_table(TableName=spec.id)["Table"]["TableArn"]
        if put:
            dynamodb.tag_resource(ResourceArn=arn, Tags=pairs(put))
        if removed_keys := list(drop):
            dynamodb.untag_resource(ResourceArn=arn, TagKeys=removed_keys)

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Drop attributes that are not part of the table's key: an index added by hand brings its own."""
        if "KeySchema" not in actual or "AttributeDefinitions" not in actual:
            return actual
        keys = {element["AttributeName"] for element in actual["KeySchema"]}
        definitions = [entry for entry in actual["AttributeDefinitions"] if entry["AttributeName"] in keys]
        return {**actual, "AttributeDefinitions": definitions}

    def unmanaged(
        self, dynamodb: DynamoDB, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the table's indexes and its resource policy, neither of which the stack declares."""
        return [*_unmanaged_indexes(actual), *self._unmanaged_policy(dynamodb, actual)]

    def _unmanaged_policy(self, dynamodb: DynamoDB, actual: JsonObject) -> list[Unmanaged]:
        """Return the table's resource policy, if somebody set one."""
        request = {"ResourceArn": actual["TableArn"]}
        try:
            reply: JsonObject = default_if_unsupported(lambda: dynamodb.get_resource_policy(**request), {})
        except ClientError as error:
            if code_of(error) not in _POLICY_NOT_FOUND:
                raise
            return []
        return [Unmanaged(RESOURCE_POLICY, request, not_found_codes=_POLICY_NOT_FOUND)] if reply.get("Policy") else []

    def remove_unmanaged(self, dynamodb: DynamoDB, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete the table's resource policy."""
        dynamodb.delete_resource_policy(**unmanaged.request)

    def data_loss(self, props: JsonObject) -> str:
        """Return what a deletion loses: the items.

        With point-in-time recovery, AWS keeps a system backup for 35 days (DynamoDB developer guide,
        PointInTimeRecovery_Howitworks).
        """
        return f"the table {props['TableName']}; with point-in-time recovery, AWS keeps a last backup for 35 days"

    def delete(self, dynamodb: DynamoDB, spec: ResourceSpec) -> None:
        """Delete the table; DeleteTable is no error while it is being deleted."""
        dynamodb.delete_table(TableName=spec.id)


def _index_names(dynamodb: DynamoDB, spec: ResourceSpec) -> list[str]:
    """Return the names of the indexes: provisioned capacity has to be given for each (go-to-k/cdkd#1588)."""
    indexes = dynamodb.describe_table(TableName=spec.id)["Table"].get("GlobalSecondaryIndexes") or []
    return [str(index["IndexName"]) for index in indexes if index.get("IndexStatus") != "DELETING"]


def _list_tags(dynamodb: DynamoDB, arn: str) -> dict[str, str]:
    return mapping(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])


def _to_properties(actual: JsonObject) -> JsonObject:
    """Return a table under the property names of the create call."""
    mode = (actual.get("BillingModeSummary") or {}).get("BillingMode") or actual.get("BillingMode")
    encryption = actual.get("SSEDescription") or {}
    specification: dict[str, Any] = {"Enabled": encryption.get("Status") in ("ENABLED", "ENABLING", "UPDATING")}
    if specification["Enabled"]:
        specification |= {"SSEType": encryption.get("SSEType"), "KMSMasterKeyId": encryption.get("KMSMasterKeyArn")}
    return {
        "DeletionProtectionEnabled": False,
        **actual,
        "BillingMode": mode or "PROVISIONED",
        "SSESpecification": specification,
    }


def _unmanaged_indexes(actual: JsonObject) -> list[Unmanaged]:
    """Return the indexes that were added by hand; they are only reported, as queries may use them."""
    indexes = actual.get("GlobalSecondaryIndexes") or []
    names = [index["IndexName"] for index in indexes]
    return [Unmanaged(f"the index {name}", {"IndexName": name}, kept_reason=_INDEX_REASON) for name in names]


class TimeToLive(SubresourceType):
    """The TTL attribute of a table. To change it, TTL is turned off, and on again an hour later."""

    service, id_paths = "dynamodb", "TableName"
    ownership = TTL
    not_found_codes = TABLE_NOT_FOUND | codes("ResourceNotFound")
    retryable_codes = {"create": _BUSY | _BACKUPS_STARTING, "update": _BUSY | _BACKUPS_STARTING}
    # aws/aws-cdk#13720
    cooldown, cooldown_codes = minutes(60), codes("ValidationException: multiple times within")
    timeout = minutes(20)
    iam_type, arn_properties = "table", ("{TableName}",)
    operations = declare_operations(
        read="DescribeTimeToLive",
        create="DescribeTimeToLive UpdateTimeToLive",
        update="DescribeTimeToLive UpdateTimeToLive",
    )

    def read(self, dynamodb: DynamoDB, spec: ResourceSpec) -> JsonObject | None:
        """Read the TTL with DescribeTimeToLive; ENABLING lasts up to an hour, and counts as on."""
        name = spec.props["TableName"]
        actual = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        is_on = actual["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
        specification = {"Enabled": is_on, "AttributeName": actual.get("AttributeName")}
        return {"TableName": name, "TimeToLiveSpecification": specification}

    def apply(self, dynamodb: DynamoDB, props: JsonObject) -> None:
        """Turn TTL on or off; do nothing if it is as declared, as DynamoDB would refuse the call.

        To change the attribute, turn TTL off and raise RetryLater, so that the engine turns it on later.
        """
        current = self._read_specification(dynamodb, props)
        desired = props["TimeToLiveSpecification"]
        if current["Enabled"] and (not desired["Enabled"] or current["AttributeName"] != desired["AttributeName"]):
            dynamodb.update_time_to_live(
                TableName=props["TableName"],
                TimeToLiveSpecification={"Enabled": False, "AttributeName": current["AttributeName"]},
            )
            if desired["Enabled"]:
                raise RetryLater("it is off, and is turned on for the new attribute later", due=self.cooldown)
        elif desired["Enabled"] and not current["Enabled"]:
            dynamodb.update_time_to_live(**props)

    def change_count(self, actual: JsonObject, desired: JsonObject) -> int:
        """Return how many changes DynamoDB counts: two if TTL is on before and after, else one."""
        is_on, stays_on = (props["TimeToLiveSpecification"]["Enabled"] for props in (actual, desired))
        return 2 if is_on and stays_on else 1

    def _read_specification(self, dynamodb: DynamoDB, props: JsonObject) -> JsonObject:
        """Return the TTL as it is now."""
        actual = self.read(dynamodb, ResourceSpec("", "", "", props)) or {}
        return dict(actual["TimeToLiveSpecification"])


class PointInTimeRecovery(SubresourceType):
    """The point-in-time recovery of a table."""

    service, id_paths = "dynamodb", "TableName"
    ownership = BACKUPS
    replacing_calls = {"UpdateContinuousBackups": ""}
    not_found_codes = TABLE_NOT_FOUND
    retryable_codes = {"create": _BUSY | _BACKUPS_STARTING, "update": _BUSY | _BACKUPS_STARTING}
    timeout = minutes(20)
    iam_type, arn_properties = "table", ("{TableName}",)
    operations = declare_operations(
        read="DescribeContinuousBackups", create="UpdateContinuousBackups", update="UpdateContinuousBackups"
    )

    def read(self, dynamodb: DynamoDB, spec: ResourceSpec) -> JsonObject | None:
        """Read the setting with DescribeContinuousBackups."""
        name = spec.props["TableName"]
        actual = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        description = actual.get("PointInTimeRecoveryDescription") or {}
        days = {_RECOVERY_DAYS: description[_RECOVERY_DAYS]} if _RECOVERY_DAYS in description else {}
        is_on = description.get("PointInTimeRecoveryStatus") == "ENABLED"
        return {"TableName": name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": is_on, **days}}

    def apply(self, dynamodb: DynamoDB, props: JsonObject) -> None:
        """Set it with UpdateContinuousBackups; the recovery period is sent only when it is turned on."""
        specification = props["PointInTimeRecoverySpecification"]
        if not specification["PointInTimeRecoveryEnabled"]:
            specification = {key: value for key, value in specification.items() if key != _RECOVERY_DAYS}
        dynamodb.update_continuous_backups(TableName=props["TableName"], PointInTimeRecoverySpecification=specification)
