"""Secrets Manager: the stack's secrets, and how their values are passed on without being stored elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject, Lookup, Ref, SecretValue, StoredSecret
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import THERE, StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.errors import Blocked, UsageError
from provisioner.names import has_stack_tags
from provisioner.resources.ownership.data import ROTATION, SECRET
from provisioner.resources.tags import mapping, pairs

# Aurora user guide, rds-secrets-manager: a managed secret rotates every seven days.
USUAL_DAYS = 7
VARIABLE = "DB_PASSWORD"
# How a resource policy is called in reports: it says who else may use a resource.
RESOURCE_POLICY = "a resource policy"
_SHORTEST, _LONGEST = 8, 99
# botocore secretsmanager DescribeSecret: returns no key for a secret under the AWS managed key.
_AMAZONS_KEY = "alias/aws/secretsmanager"
# A new KMS key is not known everywhere at once.
_NO_KEY = codes("AccessDeniedException: kms", "EncryptionFailure", "InvalidParameterException: kms")
# What Aurora PostgreSQL refuses in a master password (botocore rds CreateDBCluster).
_REFUSED = '/@" '
_TAKEN = f'It takes {_SHORTEST} to {_LONGEST} printable ASCII characters without / @ " and space.'


class Secret(ResourceType):
    """A secret; the state holds its ARN, never its value."""

    service, id_paths, name_property = "secretsmanager", "ARN", "Name"
    ownership = SECRET
    immutable = frozenset({"Name"})
    write_only = frozenset({"SecretString"})
    defaults = {"KmsKeyId": _AMAZONS_KEY}
    not_found_codes = codes("ResourceNotFoundException")
    already_exists_codes = codes("ResourceExistsException")
    # A secret in its recovery window keeps its name.
    deleted = restorable = {"InRecovery": True}
    # Secrets Manager API reference, DescribeSecret: the value of a secret with a DeletedDate cannot be read.
    status_classes = (
        StatusClasses(
            "InRecovery",
            in_lower_case("false"),
            gone=in_lower_case("true"),
            descriptions={"false": THERE, "true": "scheduled for deletion"},
        ),
    )
    # A secret that was deleted without a recovery window keeps its name for a short time, and cannot be
    # restored.
    retryable_codes = {
        "create": codes(
            "InvalidRequestException: deletion",
            "InvalidRequestException: deleted",
            "ResourceNotFoundException",
        )
        | _NO_KEY,
        "update": _NO_KEY,
    }
    owns_children = True
    iam_type, arn_properties = "Secret", ("{Name}*",)
    operations = declare_operations(
        read="DescribeSecret",
        restore="DescribeSecret RestoreSecret",
        create="CreateSecret",
        update="UpdateSecret",
        retag="TagResource UntagResource",
        unmanaged="GetResourcePolicy",
        remove_unmanaged="DeleteResourcePolicy",
        delete="DeleteSecret",
    )

    def read(self, secrets: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the secret with DescribeSecret; a secret in its recovery window counts as deleted."""
        actual = {"KmsKeyId": _AMAZONS_KEY, **secrets.describe_secret(SecretId=spec.props["Name"])}
        return {**actual, "Tags": mapping(actual.get("Tags", [])), "InRecovery": bool(actual.get("DeletedDate"))}

    def visible_until(self, actual: JsonObject) -> str:
        """Return the date on which the secret's recovery window ends; "" where it is in none."""
        ends = actual.get("DeletedDate")
        return ends.isoformat(timespec="minutes") if ends else ""

    def restore(self, secrets: Any, spec: ResourceSpec) -> JsonObject | None:
        """Restore the stack's secret if it is in its recovery window; return None if it is not."""
        if not self._rests(secrets, spec):
            return None
        back = secrets.restore_secret(SecretId=spec.props["Name"])
        return {"Name": spec.props["Name"], "ARN": back["ARN"]}

    def create(self, secrets: Any, spec: ResourceSpec) -> JsonObject:
        """Create the secret with CreateSecret; the token makes a repeated call harmless."""
        made = secrets.create_secret(**spec.props, ClientRequestToken=spec.token, Tags=pairs(spec.tags))
        return {"Name": spec.props["Name"], "ARN": made["ARN"]}

    def _rests(self, secrets: Any, spec: ResourceSpec) -> bool:
        """Return whether a secret of this stack can be restored; raise Blocked if it is somebody else's."""
        try:
            actual = self.read(secrets, spec)
        except ClientError as error:
            if error.response["Error"]["Code"] in self.not_found_codes:
                return False
            raise
        if not actual or not actual["InRecovery"]:
            return False
        if not has_stack_tags(actual["Tags"], spec.suffix):
            raise Blocked(
                f"The secret {spec.aws_name} is somebody else's, and in its recovery window.",
                "Choose another suffix, or have that secret deleted for good.",
            )
        return True

    def update(self, secrets: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the description and the key; the value is set at creation only."""
        asked = {key: value for key, value in changed.items() if key != "SecretString"}
        secrets.update_secret(SecretId=spec.id, Description=spec.props["Description"], **asked)

    def retag(self, secrets: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        if put:
            secrets.tag_resource(SecretId=spec.id, Tags=pairs(put))
        if gone := list(drop):
            secrets.untag_resource(SecretId=spec.id, TagKeys=gone)

    def unmanaged(
        self, secrets: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the secret's resource policy, its copies and a rotation that somebody set up."""
        told: JsonObject = default_if_unsupported(lambda: secrets.get_resource_policy(SecretId=spec.id), {})
        policies = [Unmanaged(RESOURCE_POLICY, {"SecretId": spec.id})] if told.get("ResourcePolicy") else []
        return [*policies, *_copies(actual), *_rotated(actual)]

    def remove_unmanaged(self, secrets: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete the secret's resource policy."""
        secrets.delete_resource_policy(**unmanaged.request)

    def delete(self, secrets: Any, spec: ResourceSpec) -> None:
        """Delete the secret without a recovery window, which would keep its name for 30 days."""
        secrets.delete_secret(SecretId=spec.id, ForceDeleteWithoutRecovery=True)


def _copies(actual: JsonObject) -> list[Unmanaged]:
    """Return the secret's copies in other regions and accounts; they are reported, not removed.

    Readers there would lose the secret, and AWS refuses to delete a secret that has copies.
    """
    regions = (str(one["Region"]) for one in actual.get("ReplicationStatus") or [])
    arns = (str(one["ReplicaSecretARN"]) for one in actual.get("CrossAccountReplicas") or [])
    stays = "it is read there; take it away before a teardown, which it would hold up"
    return [
        *(Unmanaged(f"copy in {region}", {}, stays) for region in regions),
        *(Unmanaged(f"copy in another account {arn}".rstrip(), {}, stays) for arn in arns),
    ]


def _rotated(actual: JsonObject) -> list[Unmanaged]:
    """Return the rotation by a Lambda function that somebody set up, if there is one."""
    by = actual.get("RotationLambdaARN") if actual.get("RotationEnabled") else ""
    stays = "it changes what the stack keeps there; `aws secretsmanager cancel-rotate-secret` ends it"
    return [Unmanaged(f"rotation by {by}", {}, stays)] if by else []


class Rotation(ResourceType):
    """The rotation schedule of the database password in the secret that RDS manages."""

    service, id_paths = "secretsmanager", "SecretId"
    ownership = ROTATION
    tagged = False
    lookup_properties = ("SecretId",)
    immutable = frozenset({"SecretId"})
    replacing_calls = {"RotateSecret": ""}
    # Days, or a schedule (botocore secretsmanager RotationRulesType).
    alternatives = frozenset({"RotationRules.ScheduleExpression"})
    # The rotation counts as deleted once the secret has the schedule that RDS gives every managed secret.
    deleted = {"RotationRules": {"AutomaticallyAfterDays": USUAL_DAYS}}
    not_found_codes = codes("ResourceNotFoundException")
    iam_type, arn_properties = "Secret", ("rds!cluster-*",)
    operations = declare_operations(
        read="DescribeSecret", create="RotateSecret", update="RotateSecret", delete="RotateSecret"
    )

    def read(self, secrets: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the rotation rules with DescribeSecret; return None where the secret has none."""
        actual = secrets.describe_secret(SecretId=spec.props["SecretId"])
        rules = actual.get("RotationRules")
        return {"SecretId": spec.props["SecretId"], "RotationRules": rules} if rules else None

    def create(self, secrets: Any, spec: ResourceSpec) -> JsonObject:
        """Set the schedule with RotateSecret, without rotating the password now."""
        secrets.rotate_secret(**spec.props, RotateImmediately=False)
        return dict(spec.props)

    def update(self, secrets: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the schedule with RotateSecret."""
        self.create(secrets, spec)

    def delete(self, secrets: Any, spec: ResourceSpec) -> None:
        """Set the schedule back to the one that RDS uses by default."""
        usual = {"AutomaticallyAfterDays": USUAL_DAYS}
        secrets.rotate_secret(SecretId=spec.id, RotationRules=usual, RotateImmediately=False)


@dataclass(frozen=True, repr=False)
class MasterLogin(SecretValue):
    """The first value of the database secret: `{username, password}` as JSON, with DB_PASSWORD."""

    username: str

    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """Return the JSON text; raise UsageError where DB_PASSWORD is unset or Aurora would refuse it."""
        return json.dumps({"username": self.username, "password": given_password()})

    def missing_input(self) -> tuple[str, str]:
        """Return why there is no usable password, and what to do; two empty strings where there is one."""
        value = os.environ.get(VARIABLE)
        if value is not None and _is_taken(value):
            return "", ""
        why = "is not set" if value is None else "cannot be a master password"
        return (
            f"it is to hold the database's password, and {VARIABLE} {why}",
            f"Set {VARIABLE} to a new password and run the same command again: it is kept in a new secret, "
            f"and set on the database. {_TAKEN}",
        )

    def unused_input(self) -> str:
        """Return a note that DB_PASSWORD is not used, for when the secret already has a password."""
        return f"{VARIABLE} is not used" if VARIABLE in os.environ else ""


@dataclass(frozen=True, repr=False)
class StoredPassword(SecretValue):
    """The password in a secret of the stack, read only for the one call that sets it on the database."""

    operations = ("secretsmanager:GetSecretValue",)
    secret: Ref

    def refs(self) -> Iterator[Ref]:
        """Yield the reference to the secret's ARN."""
        yield self.secret

    @property
    def is_read_in_plan(self) -> bool:
        """Whether a plan reads the password: never, as the secret's ARN is enough for a plan."""
        return False

    def fingerprinted(self, aws: Any, lookup: Lookup) -> StoredSecret:
        """Return the password, identified by its secret's ARN; a recreated secret has another ARN."""
        return StoredSecret(self, lookup(self.secret))

    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """Read the password with GetSecretValue."""
        arn = lookup(self.secret)
        value = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return str(json.loads(value)["password"])


def given_password() -> str:
    """Return the password in the environment variable DB_PASSWORD.

    Raises:
        UsageError: Aurora would refuse the value. The error does not contain it.

    """
    value = os.environ.get(VARIABLE, "")
    if not _is_taken(value):
        raise UsageError(
            f"{VARIABLE} cannot be a master password.",
            f"{_TAKEN} Leave it unset, and RDS makes and rotates a password of its own.",
        )
    return value


def _is_taken(value: str) -> bool:
    """Return whether Aurora accepts a value as a master password."""
    printable = all("!" <= char <= "~" for char in value)
    return printable and not set(value) & set(_REFUSED) and _SHORTEST <= len(value) <= _LONGEST
