"""KMS: a key of the stack's own, the name it goes by, and its change once a year."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import beside
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import is_named
from provisioner.engine.states import States, words
from provisioner.engine.traits import Codes, calling, codes, minutes
from provisioner.kinds.members.data import KEY, KEY_ALIAS, KEY_ROTATION
from provisioner.kinds.setting import Setting
from provisioner.kinds.tagging import bearers
from provisioner.kinds.tags import mapping
from provisioner.kinds.together import tags_told
from provisioner.kinds.under_key import made_under
from provisioner.names import NODE_TAG, has_owner

NO_KEY = codes("NotFoundException")
_KEPT_OUT = codes("AccessDeniedException")
# IAM may not see the tags of a new key for five minutes (KMS developer guide, "ABAC for AWS KMS").
_NO_TAGS = codes("AccessDeniedException: kms:createalias", "AccessDeniedException: kms:enablekeyrotation")
PENDING = "PendingDeletion"
# botocore kms ScheduleKeyDeletion: 7 to 30, at no cost: what a person copied under it is not looked for.
_DAYS = 30
_WAKE = "aws kms enable-key --key-id {0} --region {1}"
_CALL_BACK = f"aws kms cancel-key-deletion --key-id {{0}} --region {{1}} && {_WAKE}"


# How calls that take a key say that they do not know it yet (botocore rds CreateDBCluster, sns
# SetTopicAttributes, secretsmanager CreateSecret; CloudWatch Logs user guide, "encrypt-log-data-kms").
_UNKNOWN_KEY = codes(
    "KMSKeyNotAccessibleFault", "KMSNotFound", "EncryptionFailure", "InvalidParameterException: kms key"
)


class Key(Kind):
    """A symmetric key that encrypts; AWS names it, so it is found by its tags, or by its description.

    The index of tags lags, and the description can be changed: what the one does not tell yet, the other
    still does.
    """

    service, key = "kms", "Arn"
    members = KEY
    ready = {"KeyState": "Enabled"}
    # botocore kms KeyState
    states = (
        States(
            "KeyState",
            words("Enabled"),
            words("Creating Updating"),
            words("Disabled PendingImport Unavailable"),
            words("PendingDeletion PendingReplicaDeletion"),
        ),
    )
    gone = {"KeyState": PENDING}
    # Both by a person's hand: what is under it cannot be read until another command.
    halted = {"KeyState": frozenset({"Disabled", PENDING})}
    wake = "{Wake}"
    fixed = frozenset()
    whole = frozenset({"Policy"})
    replaces = {"PutKeyPolicy": ""}
    # What was logged under it is read with it alone, whatever is used for what comes.
    stays = True
    absent = NO_KEY
    unknown_as = _UNKNOWN_KEY
    # KMS developer guide, "eventual consistency": most changes within seconds, some take minutes.
    visible_within = 60
    resource = "key"
    calls = calling(
        read="DescribeKey GetKeyPolicy ListKeys ListResourceTags",
        create="CreateKey",
        update="PutKeyPolicy UpdateKeyDescription",
        retag="TagResource UntagResource",
        delete="DescribeKey ScheduleKeyDeletion",
    )

    def read(self, kms: Any, it: Item) -> Doc | None:
        """DescribeKey, GetKeyPolicy and the tags; by the index of tags and ListKeys where it is not known."""
        if it.id:
            return _told(kms, it, kms.describe_key(KeyId=it.id)["KeyMetadata"])
        for doc in _candidates(kms, it):
            if doc["KeyState"] != PENDING and doc["Arn"] not in it.shunned:
                told = _told(kms, it, doc)
                if has_owner(told["Tags"], it.tags) and told["Tags"].get(NODE_TAG) == it.node:
                    return told
        return None

    def create(self, kms: Any, it: Item) -> Doc:
        """CreateKey."""
        asked = {**it.props, "Policy": json.dumps(it.props["Policy"])}
        made = kms.create_key(**asked, Tags=_pairs(it.tags))["KeyMetadata"]
        return {**made, "Policy": it.props["Policy"]}

    def update(self, kms: Any, it: Item, changed: Doc) -> None:
        """PutKeyPolicy, UpdateKeyDescription."""
        if "Policy" in changed:
            kms.put_key_policy(KeyId=it.id, PolicyName="default", Policy=json.dumps(changed["Policy"]))
        if "Description" in changed:
            kms.update_key_description(KeyId=it.id, Description=changed["Description"])

    def retag(self, kms: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        if put:
            kms.tag_resource(KeyId=it.id, Tags=_pairs(put))
        if gone := list(drop):
            kms.untag_resource(KeyId=it.id, TagKeys=gone)

    def lost(self, props: Doc) -> str:
        """It is data's only way back."""
        return f"the key ends {_DAYS} days later, unless a snapshot or a backup made under it remains"

    def keeps(self, client: Any, it: Item) -> str:
        """Snapshots and backups that were made under it, and databases of others."""
        return ", ".join(made_under(client, it.id, it.suffix))

    def delete(self, kms: Any, it: Item) -> None:
        """ScheduleKeyDeletion, which is refused where it is going already: it looks first."""
        if kms.describe_key(KeyId=it.id)["KeyMetadata"]["KeyState"] != PENDING:
            kms.schedule_key_deletion(KeyId=it.id, PendingWindowInDays=_DAYS)

    def lasts(self, doc: Doc) -> str:
        """The day on which KMS deletes it."""
        ends = doc.get("DeletionDate")
        return ends.isoformat(timespec="minutes") if ends else ""


class EdgeKey(Key):
    """One beside CloudFront: the logs and topics that are under it end with the stack."""

    def lost(self, props: Doc) -> str:
        """Nothing that does not end itself."""
        return ""

    def keeps(self, client: Any, it: Item) -> str:
        """For nobody's."""
        return ""


def _candidates(kms: Any, it: Item) -> Iterator[Doc]:
    """Those that the index of tags knows, then those that are described as ours.

    A key's own policy may keep all of the account's IAM out (KMS developer guide, "Key policies"); ours does
    not, so such a key is passed by. The index tells of keys for a while after they are gone.
    """
    listed = bearers(beside(kms, "resourcegroupstaggingapi"), [it.suffix])
    yield from filter(None, (_described(kms, arn, NO_KEY) for arn in listed if ":kms:" in arn))
    arns = [one["KeyArn"] for one in kms.list_keys()["Keys"]]
    told = [doc for arn in arns if (doc := _described(kms, arn, NO_KEY | _KEPT_OUT))]
    if arns and not told:
        kms.describe_key(KeyId=arns[0])
    yield from (doc for doc in told if doc["Description"] == it.props.get("Description"))


def _described(kms: Any, arn: str, passed: Codes) -> Doc | None:
    """DescribeKey; None for a key that answers with one of the codes that are passed by."""
    try:
        return dict(kms.describe_key(KeyId=arn)["KeyMetadata"])
    except ClientError as error:
        if not is_named(error, passed):
            raise
        return None


def _told(kms: Any, it: Item, doc: Doc) -> Doc:
    arn = doc["Arn"]
    wake = (_CALL_BACK if doc["KeyState"] == PENDING else _WAKE).format(arn, kms.region)
    policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    tags = tags_told(kms, it, arn, lambda: _tags(kms, arn))
    return {**doc, "Policy": policy, "Tags": tags, "Wake": wake}


def _tags(kms: Any, arn: str) -> dict[str, str]:
    listed = kms.list_resource_tags(KeyId=arn)["Tags"]
    return mapping({"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in listed)


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


class KeyAlias(Kind):
    """The name that a person knows a key by; it would stay on one that is going, and hold the name."""

    service, key, named = "kms", "AliasName", "AliasName"
    members = KEY_ALIAS
    tagged = False
    fixed = frozenset({"AliasName"})
    stays = True
    absent = NO_KEY
    duplicate = codes("AlreadyExistsException")
    transient = {"create": NO_KEY | _NO_TAGS, "update": NO_KEY | _NO_TAGS}
    patience = minutes(5)
    resource, fills = "alias", ("{AliasName}",)
    calls = calling(read="ListAliases", create="CreateAlias", update="UpdateAlias", delete="DeleteAlias")

    def read(self, kms: Any, it: Item) -> Doc | None:
        """ListAliases for the one of this name; AWS tells the key's id, and the alias's ARN the rest."""
        named = (one for one in kms.list_aliases()["Aliases"] if one["AliasName"] == it.props["AliasName"])
        found = next(named, None)
        if found is None:
            return None
        where = found["AliasArn"].rsplit(":", 1)[0]
        return {"AliasName": found["AliasName"], "TargetKeyId": f"{where}:key/{found.get('TargetKeyId')}"}

    def create(self, kms: Any, it: Item) -> Doc:
        """CreateAlias."""
        kms.create_alias(**it.props)
        return dict(it.props)

    def update(self, kms: Any, it: Item, changed: Doc) -> None:
        """UpdateAlias."""
        kms.update_alias(**it.props)

    def delete(self, kms: Any, it: Item) -> None:
        """DeleteAlias."""
        kms.delete_alias(AliasName=it.id)


class KeyRotation(Setting):
    """New material once a year; the old goes on reading what it wrote."""

    service, key = "kms", "KeyId"
    members = KEY_ROTATION
    stays = True
    absent = NO_KEY
    transient = {"create": NO_KEY | _NO_TAGS}
    patience = minutes(5)
    resource = "key"
    calls = calling(
        read="DescribeKey GetKeyRotationStatus",
        create="EnableKeyRotation",
        update="EnableKeyRotation",
    )

    def read(self, kms: Any, it: Item) -> Doc | None:
        """GetKeyRotationStatus; a key that is going changes no more."""
        if kms.describe_key(KeyId=it.props["KeyId"])["KeyMetadata"]["KeyState"] == PENDING:
            return None
        on = kms.get_key_rotation_status(KeyId=it.props["KeyId"])["KeyRotationEnabled"]
        return {"KeyId": it.props["KeyId"], "KeyRotationEnabled": on}

    def put(self, kms: Any, props: Doc) -> None:
        """EnableKeyRotation."""
        kms.enable_key_rotation(KeyId=props["KeyId"])
