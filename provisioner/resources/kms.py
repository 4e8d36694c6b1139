"""KMS: the stack's own keys, their aliases, and their yearly rotation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import beside
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import matches_codes
from provisioner.engine.types.data import Codes, codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import NODE_TAG, has_owner
from provisioner.resources.key_dependents import data_under_key
from provisioner.resources.ownership.data import KEY, KEY_ALIAS, KEY_ROTATION
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tagging import read_tags, tags_by_arn
from provisioner.resources.tags import mapping

NO_KEY = codes("NotFoundException")
_KEPT_OUT = codes("AccessDeniedException")
# IAM may not know the tags of a new key for five minutes (KMS developer guide, "ABAC for AWS KMS").
_NO_TAGS = codes("AccessDeniedException: kms:createalias", "AccessDeniedException: kms:enablekeyrotation")
PENDING = "PendingDeletion"
# botocore kms ScheduleKeyDeletion: 7 to 30 days, at no cost. The longest is used, as copies that a person
# encrypted with the key are not searched for.
_DAYS = 30
_WAKE = "aws kms enable-key --key-id {0} --region {1}"
_CALL_BACK = f"aws kms cancel-key-deletion --key-id {{0}} --region {{1}} && {_WAKE}"


# Errors of calls that take a key, for a key that is too new to be known (botocore rds CreateDBCluster, sns
# SetTopicAttributes, secretsmanager CreateSecret; CloudWatch Logs user guide, "encrypt-log-data-kms").
_UNKNOWN_KEY = codes(
    "KMSKeyNotAccessibleFault", "KMSNotFound", "EncryptionFailure", "InvalidParameterException: kms key"
)


class Key(ResourceType):
    """A symmetric encryption key. AWS chooses its id, so it is found by its tags, or by its description.

    The index of tags lags, and a description can be changed: if one does not show the key, the other may.
    """

    service, id_paths = "kms", "Arn"
    ownership = KEY
    ready = {"KeyState": "Enabled"}
    # botocore kms KeyState
    status_classes = (
        StatusClasses(
            "KeyState",
            in_lower_case("Enabled"),
            in_lower_case("Creating Updating"),
            in_lower_case("Disabled PendingImport Unavailable"),
            in_lower_case("PendingDeletion PendingReplicaDeletion"),
        ),
    )
    deleted = {"KeyState": PENDING}
    # Somebody disabled the key or scheduled its deletion: data under it cannot be read until that is undone.
    suspended = {"KeyState": frozenset({"Disabled", PENDING})}
    resume_hint = "{Wake}"
    immutable = frozenset()
    exclusive = frozenset({"Policy"})
    replacing_calls = {"PutKeyPolicy": ""}
    # Logs that were encrypted with the key can be read only with it, even if new logs use another one.
    retained = True
    not_found_codes = NO_KEY
    unknown_reference_codes = _UNKNOWN_KEY
    # KMS developer guide, "eventual consistency": most changes are visible within seconds, some after
    # minutes.
    consistency_seconds = 60
    iam_type = "key"
    operations = declare_operations(
        read="DescribeKey GetKeyPolicy ListKeys ListResourceTags",
        create="CreateKey",
        update="PutKeyPolicy UpdateKeyDescription",
        retag="TagResource UntagResource",
        delete="DescribeKey ScheduleKeyDeletion",
    )

    def read(self, kms: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the key, its policy and its tags; find it where its id is not known yet."""
        if spec.id:
            return _told(kms, spec, kms.describe_key(KeyId=spec.id)["KeyMetadata"])
        for actual in _candidates(kms, spec):
            if actual["KeyState"] != PENDING and actual["Arn"] not in spec.excluded_ids:
                told = _told(kms, spec, actual)
                if has_owner(told["Tags"], spec.tags) and told["Tags"].get(NODE_TAG) == spec.logical_id:
                    return told
        return None

    def create(self, kms: Any, spec: ResourceSpec) -> JsonObject:
        """Create the key with CreateKey."""
        asked = {**spec.props, "Policy": json.dumps(spec.props["Policy"])}
        made = kms.create_key(**asked, Tags=_pairs(spec.tags))["KeyMetadata"]
        return {**made, "Policy": spec.props["Policy"]}

    def update(self, kms: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the policy with PutKeyPolicy, and the description with UpdateKeyDescription."""
        if "Policy" in changed:
            kms.put_key_policy(KeyId=spec.id, PolicyName="default", Policy=json.dumps(changed["Policy"]))
        if "Description" in changed:
            kms.update_key_description(KeyId=spec.id, Description=changed["Description"])

    def retag(self, kms: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        if put:
            kms.tag_resource(KeyId=spec.id, Tags=_pairs(put))
        if gone := list(drop):
            kms.untag_resource(KeyId=spec.id, TagKeys=gone)

    def data_loss(self, props: JsonObject) -> str:
        """Return the warning that deleting the key loses all data that is encrypted with it."""
        return f"the key ends {_DAYS} days later, unless a snapshot or a backup made under it remains"

    def retention_reason(self, client: Any, spec: ResourceSpec) -> str:
        """Return the snapshots, backups and databases that are still encrypted with the key."""
        return ", ".join(data_under_key(client, spec.id, spec.suffix))

    def delete(self, kms: Any, spec: ResourceSpec) -> None:
        """Schedule the deletion; do nothing if it is scheduled already, as KMS would refuse the call."""
        if kms.describe_key(KeyId=spec.id)["KeyMetadata"]["KeyState"] != PENDING:
            kms.schedule_key_deletion(KeyId=spec.id, PendingWindowInDays=_DAYS)

    def visible_until(self, actual: JsonObject) -> str:
        """Return the date on which KMS deletes the key; "" if no deletion is scheduled."""
        ends = actual.get("DeletionDate")
        return ends.isoformat(timespec="minutes") if ends else ""


class EdgeKey(Key):
    """The key for the logs and topics beside CloudFront, all of which are deleted with the stack."""

    def data_loss(self, props: JsonObject) -> str:
        """Return "": everything under the key is deleted with the stack."""
        return ""

    def retention_reason(self, client: Any, spec: ResourceSpec) -> str:
        """Return "": nothing that outlives the stack needs the key."""
        return ""


def _candidates(kms: Any, spec: ResourceSpec) -> Iterator[JsonObject]:
    """Yield the keys that the index of tags lists for the stack, then all keys with our description.

    The index (Resource Groups Tagging API) still lists deleted keys for a while: those are skipped. A key's
    own policy may shut out the account's IAM (KMS developer guide, "Key policies"). Ours does not, so a key
    that denies access is skipped too. If no listed key can be read at all, the error of the first one is
    raised.
    """
    listed = tags_by_arn(beside(kms, "resourcegroupstaggingapi"), [spec.suffix])
    yield from filter(None, (_described(kms, arn, NO_KEY) for arn in listed if ":kms:" in arn))
    arns = [one["KeyArn"] for one in kms.list_keys()["Keys"]]
    told = [actual for arn in arns if (actual := _described(kms, arn, NO_KEY | _KEPT_OUT))]
    if arns and not told:
        kms.describe_key(KeyId=arns[0])
    yield from (actual for actual in told if actual["Description"] == spec.props.get("Description"))


def _described(kms: Any, arn: str, passed: Codes) -> JsonObject | None:
    """Describe a key; return None if KMS answers with one of the codes in `passed`."""
    try:
        return dict(kms.describe_key(KeyId=arn)["KeyMetadata"])
    except ClientError as error:
        if not matches_codes(error, passed):
            raise
        return None


def _told(kms: Any, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
    """Return a key with its policy and tags, and in `Wake` the command that makes it usable again."""
    arn = actual["Arn"]
    wake = (_CALL_BACK if actual["KeyState"] == PENDING else _WAKE).format(arn, kms.region)
    policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    tags = read_tags(kms, spec, arn, lambda: _tags(kms, arn))
    return {**actual, "Policy": policy, "Tags": tags, "Wake": wake}


def _tags(kms: Any, arn: str) -> dict[str, str]:
    listed = kms.list_resource_tags(KeyId=arn)["Tags"]
    return mapping({"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in listed)


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


class KeyAlias(ResourceType):
    """The alias of a key, deleted by a call of its own: a key scheduled for deletion would keep it."""

    service, id_paths, name_property = "kms", "AliasName", "AliasName"
    ownership = KEY_ALIAS
    tagged = False
    immutable = frozenset({"AliasName"})
    retained = True
    not_found_codes = NO_KEY
    already_exists_codes = codes("AlreadyExistsException")
    retryable_codes = {"create": NO_KEY | _NO_TAGS, "update": NO_KEY | _NO_TAGS}
    timeout = minutes(5)
    iam_type, arn_properties = "alias", ("{AliasName}",)
    operations = declare_operations(
        read="ListAliases", create="CreateAlias", update="UpdateAlias", delete="DeleteAlias"
    )

    def read(self, kms: Any, spec: ResourceSpec) -> JsonObject | None:
        """Find the alias with ListAliases, and build the key's ARN from the key id and the alias's ARN."""
        named = (one for one in kms.list_aliases()["Aliases"] if one["AliasName"] == spec.props["AliasName"])
        found = next(named, None)
        if found is None:
            return None
        where = found["AliasArn"].rsplit(":", 1)[0]
        return {"AliasName": found["AliasName"], "TargetKeyId": f"{where}:key/{found.get('TargetKeyId')}"}

    def create(self, kms: Any, spec: ResourceSpec) -> JsonObject:
        """Create the alias with CreateAlias."""
        kms.create_alias(**spec.props)
        return dict(spec.props)

    def update(self, kms: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Point the alias to another key with UpdateAlias."""
        kms.update_alias(**spec.props)

    def delete(self, kms: Any, spec: ResourceSpec) -> None:
        """Delete the alias with DeleteAlias."""
        kms.delete_alias(AliasName=spec.id)


class KeyRotation(SubresourceType):
    """The yearly rotation of a key's material; older material still decrypts older data."""

    service, id_paths = "kms", "KeyId"
    ownership = KEY_ROTATION
    retained = True
    not_found_codes = NO_KEY
    retryable_codes = {"create": NO_KEY | _NO_TAGS}
    timeout = minutes(5)
    iam_type = "key"
    operations = declare_operations(
        read="DescribeKey GetKeyRotationStatus",
        create="EnableKeyRotation",
        update="EnableKeyRotation",
    )

    def read(self, kms: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read whether rotation is on; return None for a key that is scheduled for deletion."""
        if kms.describe_key(KeyId=spec.props["KeyId"])["KeyMetadata"]["KeyState"] == PENDING:
            return None
        on = kms.get_key_rotation_status(KeyId=spec.props["KeyId"])["KeyRotationEnabled"]
        return {"KeyId": spec.props["KeyId"], "KeyRotationEnabled": on}

    def apply(self, kms: Any, props: JsonObject) -> None:
        """Turn rotation on with EnableKeyRotation."""
        kms.enable_key_rotation(KeyId=props["KeyId"])
