"""Secrets Manager: one secret of our own, and how its value passes by without being kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import unless_unknown
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc, Kept, Lookup, Ref, Veiled
from provisioner.engine.states import THERE, States, words
from provisioner.engine.traits import calling, codes
from provisioner.errors import Blocked, UsageError
from provisioner.kinds.members.data import ROTATION, SECRET
from provisioner.kinds.tags import mapping, pairs
from provisioner.names import bears

# Aurora user guide, rds-secrets-manager: a managed secret rotates every seven days.
USUAL_DAYS = 7
VARIABLE = "DB_PASSWORD"
# In words, what says who else may use a thing.
RESOURCE_POLICY = "a resource policy"
_SHORTEST, _LONGEST = 8, 99
# botocore secretsmanager DescribeSecret: a secret under AWS's own key tells none.
_AMAZONS_KEY = "alias/aws/secretsmanager"
# A new key is not seen everywhere at once.
_NO_KEY = codes("AccessDeniedException: kms", "EncryptionFailure", "InvalidParameterException: kms")
# What Aurora PostgreSQL refuses in a master password (botocore rds CreateDBCluster).
_REFUSED = '/@" '
_TAKEN = f'It takes {_SHORTEST} to {_LONGEST} printable ASCII characters without / @ " and space.'


class Secret(Kind):
    """A secret; only its ARN is ever written down."""

    service, key, named = "secretsmanager", "ARN", "Name"
    members = SECRET
    fixed = frozenset({"Name"})
    unread = frozenset({"SecretString"})
    defaults = {"KmsKeyId": _AMAZONS_KEY}
    absent = codes("ResourceNotFoundException")
    duplicate = codes("ResourceExistsException")
    # In its recovery window it holds its name.
    gone = returns = {"InRecovery": True}
    # Secrets Manager API reference, DescribeSecret: one with a DeletedDate tells no value any more.
    states = (
        States(
            "InRecovery",
            words("false"),
            gone=words("true"),
            says={"false": THERE, "true": "scheduled for deletion"},
        ),
    )
    # One that was deleted without a window holds its name for a short delay, and cannot come back.
    transient = {
        "create": codes(
            "InvalidRequestException: deletion",
            "InvalidRequestException: deleted",
            "ResourceNotFoundException",
        )
        | _NO_KEY,
        "update": _NO_KEY,
    }
    owns_inside = True
    resource, fills = "Secret", ("{Name}*",)
    calls = calling(
        read="DescribeSecret",
        bring_back="DescribeSecret RestoreSecret",
        create="CreateSecret",
        update="UpdateSecret",
        retag="TagResource UntagResource",
        extras="GetResourcePolicy",
        remove="DeleteResourcePolicy",
        delete="DeleteSecret",
    )

    def read(self, secrets: Any, it: Item) -> Doc | None:
        """DescribeSecret; one in its recovery window counts as gone."""
        doc = {"KmsKeyId": _AMAZONS_KEY, **secrets.describe_secret(SecretId=it.props["Name"])}
        return {**doc, "Tags": mapping(doc.get("Tags", [])), "InRecovery": bool(doc.get("DeletedDate"))}

    def lasts(self, doc: Doc) -> str:
        """The day on which its recovery window ends."""
        ends = doc.get("DeletedDate")
        return ends.isoformat(timespec="minutes") if ends else ""

    def bring_back(self, secrets: Any, it: Item) -> Doc | None:
        """RestoreSecret, where one of ours is in its recovery window."""
        if not self._rests(secrets, it):
            return None
        back = secrets.restore_secret(SecretId=it.props["Name"])
        return {"Name": it.props["Name"], "ARN": back["ARN"]}

    def create(self, secrets: Any, it: Item) -> Doc:
        """CreateSecret, with our own token."""
        made = secrets.create_secret(**it.props, ClientRequestToken=it.token, Tags=pairs(it.tags))
        return {"Name": it.props["Name"], "ARN": made["ARN"]}

    def _rests(self, secrets: Any, it: Item) -> bool:
        """Whether one of ours can come back; Blocked where it is somebody else's that holds the name."""
        try:
            doc = self.read(secrets, it)
        except ClientError as error:
            if error.response["Error"]["Code"] in self.absent:
                return False
            raise
        if not doc or not doc["InRecovery"]:
            return False
        if not bears(doc["Tags"], it.suffix):
            raise Blocked(
                f"The secret {it.name} is somebody else's, and in its recovery window.",
                "Choose another suffix, or have that secret deleted for good.",
            )
        return True

    def update(self, secrets: Any, it: Item, changed: Doc) -> None:
        """UpdateSecret: the description and the key; the value is never made twice."""
        asked = {key: value for key, value in changed.items() if key != "SecretString"}
        secrets.update_secret(SecretId=it.id, Description=it.props["Description"], **asked)

    def retag(self, secrets: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        if put:
            secrets.tag_resource(SecretId=it.id, Tags=pairs(put))
        if gone := list(drop):
            secrets.untag_resource(SecretId=it.id, TagKeys=gone)

    def extras(self, secrets: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """List who else may read it, by GetResourcePolicy, and where it is copied to."""
        told: Doc = unless_unknown(lambda: secrets.get_resource_policy(SecretId=it.id), {})
        policies = [Extra(RESOURCE_POLICY, {"SecretId": it.id})] if told.get("ResourcePolicy") else []
        return [*policies, *_copies(doc), *_rotated(doc)]

    def remove(self, secrets: Any, it: Item, extra: Extra) -> None:
        """DeleteResourcePolicy."""
        secrets.delete_resource_policy(**extra.doc)

    def delete(self, secrets: Any, it: Item) -> None:
        """DeleteSecret, without the recovery window that would hold its name for 30 days."""
        secrets.delete_secret(SecretId=it.id, ForceDeleteWithoutRecovery=True)


def _copies(doc: Doc) -> list[Extra]:
    """List its copies: who reads one there would lose it, and AWS deletes no secret that has one."""
    regions = (str(one["Region"]) for one in doc.get("ReplicationStatus") or [])
    arns = (str(one["ReplicaSecretARN"]) for one in doc.get("CrossAccountReplicas") or [])
    stays = "it is read there; take it away before a teardown, which it would hold up"
    return [
        *(Extra(f"copy in {region}", {}, stays) for region in regions),
        *(Extra(f"copy in another account {arn}".rstrip(), {}, stays) for arn in arns),
    ]


def _rotated(doc: Doc) -> list[Extra]:
    """Tell the function that somebody has change its value."""
    by = doc.get("RotationLambdaARN") if doc.get("RotationEnabled") else ""
    stays = "it changes what the stack keeps there; `aws secretsmanager cancel-rotate-secret` ends it"
    return [Extra(f"rotation by {by}", {}, stays)] if by else []


class Rotation(Kind):
    """How often RDS makes a new password in the secret that it manages."""

    service, key = "secretsmanager", "SecretId"
    members = ROTATION
    tagged = False
    within = ("SecretId",)
    fixed = frozenset({"SecretId"})
    replaces = {"RotateSecret": ""}
    # Days, or a schedule (botocore secretsmanager RotationRulesType).
    alternatives = frozenset({"RotationRules.ScheduleExpression"})
    # Its end is the rule that every managed secret has.
    gone = {"RotationRules": {"AutomaticallyAfterDays": USUAL_DAYS}}
    absent = codes("ResourceNotFoundException")
    resource, fills = "Secret", ("rds!cluster-*",)
    calls = calling(
        read="DescribeSecret", create="RotateSecret", update="RotateSecret", delete="RotateSecret"
    )

    def read(self, secrets: Any, it: Item) -> Doc | None:
        """DescribeSecret."""
        doc = secrets.describe_secret(SecretId=it.props["SecretId"])
        rules = doc.get("RotationRules")
        return {"SecretId": it.props["SecretId"], "RotationRules": rules} if rules else None

    def create(self, secrets: Any, it: Item) -> Doc:
        """RotateSecret, which takes the rule; the password itself stays until its time."""
        secrets.rotate_secret(**it.props, RotateImmediately=False)
        return dict(it.props)

    def update(self, secrets: Any, it: Item, changed: Doc) -> None:
        """RotateSecret."""
        self.create(secrets, it)

    def delete(self, secrets: Any, it: Item) -> None:
        """Back to what RDS takes by itself."""
        usual = {"AutomaticallyAfterDays": USUAL_DAYS}
        secrets.rotate_secret(SecretId=it.id, RotationRules=usual, RotateImmediately=False)


@dataclass(frozen=True, repr=False)
class MasterLogin(Veiled):
    """`{username, password}` as JSON, the password from the environment: for the secret's first value."""

    username: str

    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """The JSON text; UsageError where the variable is gone or AWS would refuse it."""
        return json.dumps({"username": self.username, "password": given_password()})

    def missing(self) -> tuple[str, str]:
        """That no password is given, or one that Aurora would refuse."""
        value = os.environ.get(VARIABLE)
        if value is not None and _is_taken(value):
            return "", ""
        why = "is not set" if value is None else "cannot be a master password"
        return (
            f"it is to hold the database's password, and {VARIABLE} {why}",
            f"Set {VARIABLE} to a new password and run the same command again: it is kept in a new secret, "
            f"and set on the database. {_TAKEN}",
        )

    def unused(self) -> str:
        """The password, where the secret has one already."""
        return f"{VARIABLE} is not used" if VARIABLE in os.environ else ""


@dataclass(frozen=True, repr=False)
class StoredPassword(Veiled):
    """The password that a secret of ours holds, read back for the one call that sets it."""

    calls = ("secretsmanager:GetSecretValue",)
    secret: Ref

    def refs(self) -> Iterator[Ref]:
        """The secret's ARN."""
        yield self.secret

    @property
    def is_looked_at(self) -> bool:
        """No plan reads it: a look at the secret's ARN is enough."""
        return False

    def sealed(self, aws: Any, lookup: Lookup) -> Kept:
        """The secret that keeps it, by its ARN: another one whenever it is made anew."""
        return Kept(self, lookup(self.secret))

    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """GetSecretValue."""
        arn = lookup(self.secret)
        value = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return str(json.loads(value)["password"])


def given_password() -> str:
    """The password in DB_PASSWORD; UsageError, without the value, where it cannot be one."""
    value = os.environ.get(VARIABLE, "")
    if not _is_taken(value):
        raise UsageError(
            f"{VARIABLE} cannot be a master password.",
            f"{_TAKEN} Leave it unset, and RDS makes and rotates a password of its own.",
        )
    return value


def _is_taken(value: str) -> bool:
    """Whether Aurora takes it as a master password."""
    printable = all("!" <= char <= "~" for char in value)
    return printable and not set(value) & set(_REFUSED) and _SHORTEST <= len(value) <= _LONGEST
