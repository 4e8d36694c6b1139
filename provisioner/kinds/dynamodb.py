"""DynamoDB: a table, and the settings of a table that need calls of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import code_of, unless_unknown
from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import NotYet
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.data import BACKUPS, TABLE, TTL
from provisioner.kinds.secretsmanager import RESOURCE_POLICY
from provisioner.kinds.setting import Setting
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told

NO_TABLE = codes("ResourceNotFoundException", "TableNotFoundException")
# The table is still applying its last change, or the account has too many changes at once.
_BUSY = codes("ResourceInUseException", "LimitExceededException: simultaneously")
# A new KMS key is not known everywhere at once, least of all its tags, which may decide who can use it
# (aws/aws-cdk#18616).
_NO_KEY = codes("AccessDeniedException: kms", "ValidationException: kms")
_NO_POLICY = codes("PolicyNotFoundException", "ResourceNotFoundException")
_BACKUPS = codes("ContinuousBackupsUnavailableException", "ValidationException: backups are being enabled")

_DAYS_BACK = "RecoveryPeriodInDays"
_READ = "somebody's queries may read it"


class Table(Kind):
    """A DynamoDB table."""

    service, key, named = "dynamodb", "TableName", "TableName"
    members = TABLE
    ready, going = {"TableStatus": "ACTIVE"}, {"TableStatus": "DELETING"}
    # botocore dynamodb TableStatus
    states = (
        States(
            "TableStatus",
            words("ACTIVE"),
            words("CREATING UPDATING"),
            words("INACCESSIBLE_ENCRYPTION_CREDENTIALS ARCHIVING ARCHIVED REPLICATION_NOT_AUTHORIZED"),
            words("DELETING"),
        ),
    )
    fixed = frozenset({"TableName", "KeySchema", "AttributeDefinitions"})
    defaults = {"DeletionProtectionEnabled": False, "SSESpecification": {"Enabled": False}}
    holds_data = True
    unprotected = {"DeletionProtectionEnabled": False}
    unprotected_by = "aws dynamodb update-table --table-name {TableName} --no-deletion-protection-enabled"
    absent = NO_TABLE
    duplicate = codes("ResourceInUseException")
    or_denied = _NO_KEY
    transient = {
        "create": codes("LimitExceededException: simultaneously") | _NO_KEY,
        "update": _BUSY | _NO_KEY,
        "delete": _BUSY | _BACKUPS,
    }
    takes, takes_to_go, patience = 10, 5, minutes(20)
    closed_until_ready = True
    owns_inside = True
    resource, fills = "table", ("{TableName}",)
    calls = calling(
        read="DescribeTable ListTagsOfResource",
        create="CreateTable",
        update="UpdateTable DescribeTable",
        retag="TagResource UntagResource DescribeTable",
        extras="GetResourcePolicy",
        remove="DeleteResourcePolicy",
        delete="DeleteTable",
    )

    def read(self, dynamodb: Any, spec: ResourceSpec) -> Doc | None:
        """Read the table with DescribeTable, and its tags."""
        doc = dynamodb.describe_table(TableName=spec.props["TableName"])["Table"]
        arn = doc["TableArn"]
        tags = tags_told(dynamodb, spec, arn, lambda: _tags(dynamodb, arn))
        return {**_as_asked(doc), "Tags": tags}

    def create(self, dynamodb: Any, spec: ResourceSpec) -> Doc:
        """Create the table with CreateTable."""
        made = dynamodb.create_table(**spec.props, Tags=pairs(spec.tags))
        return _as_asked(made["TableDescription"])

    def update(self, dynamodb: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Change the table; a change to PROVISIONED also gives the capacity of table and indexes."""
        units = spec.props.get("ProvisionedThroughput")
        bought: Doc = {}
        if "BillingMode" in changed and units:
            updates = [
                {"Update": {"IndexName": name, "ProvisionedThroughput": units}} for name in _named(dynamodb, spec)
            ]
            bought = {"ProvisionedThroughput": units}
            bought |= {"GlobalSecondaryIndexUpdates": updates} if updates else {}
        dynamodb.update_table(TableName=spec.id, **changed | bought)

    def retag(self, dynamodb: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = dynamodb.describe_table(TableName=spec.id)["Table"]["TableArn"]
        if put:
            dynamodb.tag_resource(ResourceArn=arn, Tags=pairs(put))
        if gone := list(drop):
            dynamodb.untag_resource(ResourceArn=arn, TagKeys=gone)

    def canonical(self, doc: Doc) -> Doc:
        """Drop attributes that are not part of the table's key: an index added by hand brings its own."""
        if "KeySchema" not in doc or "AttributeDefinitions" not in doc:
            return doc
        own = {one["AttributeName"] for one in doc["KeySchema"]}
        kept = [one for one in doc["AttributeDefinitions"] if one["AttributeName"] in own]
        return {**doc, "AttributeDefinitions": kept}

    def extras(self, dynamodb: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the table's indexes and its resource policy, neither of which the stack declares."""
        return [*_indexes(doc), *self._policies(dynamodb, doc)]

    def _policies(self, dynamodb: Any, doc: Doc) -> list[Extra]:
        asked = {"ResourceArn": doc["TableArn"]}
        try:
            told: Doc = unless_unknown(lambda: dynamodb.get_resource_policy(**asked), {})
        except ClientError as error:
            if code_of(error) not in _NO_POLICY:
                raise
            return []
        return [Extra(RESOURCE_POLICY, asked, gone=_NO_POLICY)] if told.get("Policy") else []

    def remove(self, dynamodb: Any, spec: ResourceSpec, extra: Extra) -> None:
        """Delete the table's resource policy."""
        dynamodb.delete_resource_policy(**extra.doc)

    def lost(self, props: Doc) -> str:
        """Return what a deletion loses: the items.

        With point-in-time recovery, AWS keeps a system backup for 35 days (DynamoDB developer guide,
        PointInTimeRecovery_Howitworks).
        """
        return f"the table {props['TableName']}; where every second was backed up, AWS keeps its end 35 days"

    def delete(self, dynamodb: Any, spec: ResourceSpec) -> None:
        """Delete the table; DeleteTable is no error while it is being deleted."""
        dynamodb.delete_table(TableName=spec.id)


def _named(dynamodb: Any, spec: ResourceSpec) -> list[str]:
    """Return the names of the indexes: provisioned capacity has to be given for each (go-to-k/cdkd#1588)."""
    listed = dynamodb.describe_table(TableName=spec.id)["Table"].get("GlobalSecondaryIndexes") or []
    return [str(one["IndexName"]) for one in listed if one.get("IndexStatus") != "DELETING"]


def _tags(dynamodb: Any, arn: str) -> dict[str, str]:
    return mapping(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])


def _as_asked(doc: Doc) -> Doc:
    """Return a table under the property names of the create call."""
    mode = (doc.get("BillingModeSummary") or {}).get("BillingMode") or doc.get("BillingMode")
    told = doc.get("SSEDescription") or {}
    under: dict[str, Any] = {"Enabled": told.get("Status") in ("ENABLED", "ENABLING", "UPDATING")}
    if under["Enabled"]:
        under |= {"SSEType": told.get("SSEType"), "KMSMasterKeyId": told.get("KMSMasterKeyArn")}
    return {
        "DeletionProtectionEnabled": False,
        **doc,
        "BillingMode": mode or "PROVISIONED",
        "SSESpecification": under,
    }


def _indexes(doc: Doc) -> list[Extra]:
    """Return the indexes that were added by hand; they are only reported, as queries may use them."""
    listed = doc.get("GlobalSecondaryIndexes") or []
    return [Extra(f"the index {one['IndexName']}", {"IndexName": one["IndexName"]}, stays=_READ) for one in listed]


class TimeToLive(Setting):
    """The TTL attribute of a table. To change it, TTL is turned off, and on again an hour later."""

    service, key = "dynamodb", "TableName"
    members = TTL
    absent = NO_TABLE | codes("ResourceNotFound")
    transient = {"create": _BUSY | _BACKUPS, "update": _BUSY | _BACKUPS}
    # aws/aws-cdk#13720
    interval, too_soon = minutes(60), codes("ValidationException: multiple times within")
    patience = minutes(20)
    resource, fills = "table", ("{TableName}",)
    calls = calling(
        read="DescribeTimeToLive",
        create="DescribeTimeToLive UpdateTimeToLive",
        update="DescribeTimeToLive UpdateTimeToLive",
    )

    def read(self, dynamodb: Any, it: ResourceSpec) -> Doc | None:
        """Read the TTL with DescribeTimeToLive; ENABLING lasts up to an hour, and counts as on."""
        name = it.props["TableName"]
        doc = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        on = doc["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
        spec = {"Enabled": on, "AttributeName": doc.get("AttributeName")}
        return {"TableName": name, "TimeToLiveSpecification": spec}

    def put(self, dynamodb: Any, props: Doc) -> None:
        """Turn TTL on or off; do nothing if it is as declared, as DynamoDB would refuse the call.

        To change the attribute, turn TTL off and raise NotYet, so that the engine turns it on later.
        """
        now = self._now(dynamodb, props)
        wanted = props["TimeToLiveSpecification"]
        if now["Enabled"] and (not wanted["Enabled"] or now["AttributeName"] != wanted["AttributeName"]):
            off = {"Enabled": False, "AttributeName": now["AttributeName"]}
            dynamodb.update_time_to_live(TableName=props["TableName"], TimeToLiveSpecification=off)
            if wanted["Enabled"]:
                raise NotYet("it is off, and comes on for another attribute later", due=self.interval)
        elif wanted["Enabled"] and not now["Enabled"]:
            dynamodb.update_time_to_live(**props)

    def changes(self, seen: Doc, wanted: Doc) -> int:
        """Return how many changes DynamoDB counts: two if TTL is on before and after, else one."""
        both = (seen["TimeToLiveSpecification"], wanted["TimeToLiveSpecification"])
        return sum(one["Enabled"] for one in both) or 1

    def _now(self, dynamodb: Any, props: Doc) -> Doc:
        seen = self.read(dynamodb, ResourceSpec("", "", "", props)) or {}
        return dict(seen["TimeToLiveSpecification"])


class PointInTimeRecovery(Setting):
    """The point-in-time recovery of a table."""

    service, key = "dynamodb", "TableName"
    members = BACKUPS
    replaces = {"UpdateContinuousBackups": ""}
    absent = NO_TABLE
    transient = {"create": _BUSY | _BACKUPS, "update": _BUSY | _BACKUPS}
    patience = minutes(20)
    resource, fills = "table", ("{TableName}",)
    calls = calling(
        read="DescribeContinuousBackups", create="UpdateContinuousBackups", update="UpdateContinuousBackups"
    )

    def read(self, dynamodb: Any, spec: ResourceSpec) -> Doc | None:
        """Read the setting with DescribeContinuousBackups."""
        name = spec.props["TableName"]
        doc = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        told = doc.get("PointInTimeRecoveryDescription") or {}
        days = {_DAYS_BACK: told[_DAYS_BACK]} if _DAYS_BACK in told else {}
        on = {"PointInTimeRecoveryEnabled": told.get("PointInTimeRecoveryStatus") == "ENABLED", **days}
        return {"TableName": name, "PointInTimeRecoverySpecification": on}

    def put(self, dynamodb: Any, props: Doc) -> None:
        """Set it with UpdateContinuousBackups; the recovery period is sent only when it is turned on."""
        asked = props["PointInTimeRecoverySpecification"]
        if not asked["PointInTimeRecoveryEnabled"]:
            asked = {key: one for key, one in asked.items() if key != _DAYS_BACK}
        dynamodb.update_continuous_backups(TableName=props["TableName"], PointInTimeRecoverySpecification=asked)
