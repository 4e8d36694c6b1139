"""KMS: the stack's own keys, their aliases, and their yearly rotation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import matches_codes
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import Codes, codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import NODE_TAG, has_owner
from provisioner.resources.field_owners.databases_and_keys import KEY, KEY_ALIAS, KEY_ROTATION
from provisioner.resources.key_dependents import data_encrypted_with
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tags import mapping, read_tags, tags_by_arn
from provisioner.service_clients import KMS, ResourceGroupsTagging

if TYPE_CHECKING:
    from types_boto3_kms.type_defs import TagTypeDef

KEY_NOT_FOUND = codes("NotFoundException")
_ACCESS_DENIED = codes("AccessDeniedException")
# IAM may not know the tags of a new key for five minutes (KMS developer guide, "ABAC for AWS KMS").
_TAGS_NOT_VISIBLE_YET = codes("AccessDeniedException: kms:createalias", "AccessDeniedException: kms:enablekeyrotation")
PENDING_DELETION = "PendingDeletion"
# botocore kms ScheduleKeyDeletion: 7 to 30 days, at no cost. The longest is used, as copies that a person
# encrypted with the key are not searched for.
_PENDING_DAYS = 30
_ENABLE_COMMAND = "aws kms enable-key --key-id {0} --region {1}"
_CANCEL_COMMAND = f"aws kms cancel-key-deletion --key-id {{0}} --region {{1}} && {_ENABLE_COMMAND}"


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
    # The name with `alias/` before it is the alias, which may have 256 characters.
    max_name_length = 250
    pricing = Pricing.monthly("keys", "key_month", by_use="uses of keys")
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
    deleted = {"KeyState": PENDING_DELETION}
    # Somebody disabled the key or scheduled its deletion: data under it cannot be read until that is undone.
    suspended = {"KeyState": frozenset({"Disabled", PENDING_DELETION})}
    resume_hint = "{ResumeCommand}"
    immutable = frozenset()
    exclusive = frozenset({"Policy"})
    replacing_calls = {"PutKeyPolicy": ""}
    # Logs that were encrypted with the key can be read only with it, even if new logs use another one.
    retained = True
    not_found_codes = KEY_NOT_FOUND
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

    def read(self, kms: KMS, spec: ResourceSpec) -> JsonObject | None:
        """Read the key, its policy and its tags; find it where its id is not known yet."""
        if spec.id:
            return _to_properties(kms, spec, kms.describe_key(KeyId=spec.id)["KeyMetadata"])
        for metadata in _candidates(kms, spec):
            if metadata["KeyState"] != PENDING_DELETION and metadata["Arn"] not in spec.excluded_ids:
                actual = _to_properties(kms, spec, metadata)
                if has_owner(actual["Tags"], spec.tags) and actual["Tags"].get(NODE_TAG) == spec.logical_id:
                    return actual
        return None

    def create(self, kms: KMS, spec: ResourceSpec) -> JsonObject:
        """Create the key with CreateKey."""
        request = {**spec.props, "Policy": json.dumps(spec.props["Policy"])}
        metadata = kms.create_key(**request, Tags=_tag_list(spec.tags))["KeyMetadata"]
        return {**metadata, "Policy": spec.props["Policy"]}

    def update(self, kms: KMS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the policy with PutKeyPolicy, and the description with UpdateKeyDescription."""
        if "Policy" in changed:
            kms.put_key_policy(KeyId=spec.id, PolicyName="default", Policy=json.dumps(changed["Policy"]))
        if "Description" in changed:
            kms.update_key_description(KeyId=spec.id, Description=changed["Description"])

    def retag(self, kms: KMS, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        if put:
            kms.tag_resource(KeyId=spec.id, Tags=_tag_list(put))
        if removed_keys := list(drop):
            kms.untag_resource(KeyId=spec.id, TagKeys=removed_keys)

    def data_loss(self, props: JsonObject) -> str:
        """Return when the key is deleted, after which nothing that is encrypted with it can be read."""
        return f"the key is deleted {_PENDING_DAYS} days later, unless a snapshot or a backup encrypted with it remains"

    def retention_reason(self, client: Any, spec: ResourceSpec) -> str:
        """Return the snapshots, backups and databases that are still encrypted with the key."""
        return ", ".join(data_encrypted_with(client, spec.id, spec.suffix))

    def delete(self, kms: KMS, spec: ResourceSpec) -> None:
        """Schedule the deletion; do nothing if it is scheduled already, as KMS would refuse the call."""
        if kms.describe_key(KeyId=spec.id)["KeyMetadata"]["KeyState"] != PENDING_DELETION:
            kms.schedule_key_deletion(KeyId=spec.id, PendingWindowInDays=_PENDING_DAYS)

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


def _candidates(kms: KMS, spec: ResourceSpec) -> Iterator[JsonObject]:
    """Yield the keys that the index of tags lists for the stack, then all keys with our description.

    The index (Resource Groups Tagging API) still lists deleted keys for a while: those are skipped. A key's
    own policy may shut out the account's IAM (KMS developer guide, "Key policies"). Ours does not, so a key
    that denies access is skipped too. If no listed key can be read at all, the error of the first one is
    raised.
    """
    tagged_arns = tags_by_arn(sibling_client(kms, ResourceGroupsTagging), [spec.suffix])
    yield from filter(None, (_describe_key(kms, arn, KEY_NOT_FOUND) for arn in tagged_arns if ":kms:" in arn))
    arns = [entry["KeyArn"] for entry in kms.list_keys()["Keys"]]
    keys = [actual for arn in arns if (actual := _describe_key(kms, arn, KEY_NOT_FOUND | _ACCESS_DENIED))]
    if arns and not keys:
        kms.describe_key(KeyId=arns[0])
    yield from (actual for actual in keys if actual["Description"] == spec.props.get("Description"))


def _describe_key(kms: KMS, arn: str, ignored_codes: Codes) -> JsonObject | None:
    """Describe a key; return None if KMS answers with one of the codes in `ignored_codes`."""
    try:
        return dict(kms.describe_key(KeyId=arn)["KeyMetadata"])
    except ClientError as error:
        if not matches_codes(error, ignored_codes):
            raise
        return None


def _to_properties(kms: KMS, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
    """Return a key with its policy and tags, and in `ResumeCommand` the command that makes it usable again."""
    arn = actual["Arn"]
    command = _CANCEL_COMMAND if actual["KeyState"] == PENDING_DELETION else _ENABLE_COMMAND
    policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    tags = read_tags(kms, spec, arn, lambda: _list_tags(kms, arn))
    return {**actual, "Policy": policy, "Tags": tags, "ResumeCommand": command.format(arn, kms.region)}


def _list_tags(kms: KMS, arn: str) -> dict[str, str]:
    listed = kms.list_resource_tags(KeyId=arn)["Tags"]
    return mapping({"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in listed)


def _tag_list(tags: Mapping[str, str]) -> list[TagTypeDef]:
    """Return tags in the shape of KMS's calls."""
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


class KeyAlias(ResourceType):
    """The alias of a key, deleted by a call of its own: a key scheduled for deletion would keep it."""

    service, id_paths, name_property = "kms", "AliasName", "AliasName"
    pricing = FREE
    ownership = KEY_ALIAS
    tagged = False
    immutable = frozenset({"AliasName"})
    retained = True
    not_found_codes = KEY_NOT_FOUND
    already_exists_codes = codes("AlreadyExistsException")
    retryable_codes = {"create": KEY_NOT_FOUND | _TAGS_NOT_VISIBLE_YET, "update": KEY_NOT_FOUND | _TAGS_NOT_VISIBLE_YET}
    timeout = minutes(5)
    iam_type, arn_properties = "alias", ("{AliasName}",)
    operations = declare_operations(
        read="ListAliases", create="CreateAlias", update="UpdateAlias", delete="DeleteAlias"
    )

    def read(self, kms: KMS, spec: ResourceSpec) -> JsonObject | None:
        """Find the alias with ListAliases, and build the key's ARN from the key id and the alias's ARN."""
        aliases = (entry for entry in kms.list_aliases()["Aliases"] if entry["AliasName"] == spec.props["AliasName"])
        alias = next(aliases, None)
        if alias is None:
            return None
        arn_prefix = alias["AliasArn"].rsplit(":", 1)[0]
        return {"AliasName": alias["AliasName"], "TargetKeyId": f"{arn_prefix}:key/{alias.get('TargetKeyId')}"}

    def create(self, kms: KMS, spec: ResourceSpec) -> JsonObject:
        """Create the alias with CreateAlias."""
        kms.create_alias(**spec.props)
        return dict(spec.props)

    def update(self, kms: KMS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Point the alias to another key with UpdateAlias."""
        kms.update_alias(**spec.props)

    def delete(self, kms: KMS, spec: ResourceSpec) -> None:
        """Delete the alias with DeleteAlias."""
        kms.delete_alias(AliasName=spec.id)


class KeyRotation(SubresourceType):
    """The yearly rotation of a key's material; older material still decrypts older data."""

    service, id_paths = "kms", "KeyId"
    ownership = KEY_ROTATION
    retained = True
    not_found_codes = KEY_NOT_FOUND
    retryable_codes = {"create": KEY_NOT_FOUND | _TAGS_NOT_VISIBLE_YET}
    timeout = minutes(5)
    iam_type = "key"
    operations = declare_operations(
        read="DescribeKey GetKeyRotationStatus", create="EnableKeyRotation", update="EnableKeyRotation"
    )

    def read(self, kms: KMS, spec: ResourceSpec) -> JsonObject | None:
        """Read whether rotation is on; return None for a key that is scheduled for deletion."""
        if kms.describe_key(KeyId=spec.props["KeyId"])["KeyMetadata"]["KeyState"] == PENDING_DELETION:
            return None
        on = kms.get_key_rotation_status(KeyId=spec.props["KeyId"])["KeyRotationEnabled"]
        return {"KeyId": spec.props["KeyId"], "KeyRotationEnabled": on}

    def apply(self, kms: KMS, props: JsonObject) -> None:
        """Turn rotation on with EnableKeyRotation."""
        kms.enable_key_rotation(KeyId=props["KeyId"])
