"""Secrets Manager: the stack's secrets, and how their values are passed on without being stored elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject, Lookup, Ref, SecretValue, StoredSecret
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import EXISTS, StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.errors import Blocked, UsageError
from provisioner.names import has_stack_tags
from provisioner.resources.field_owners.databases_and_keys import ROTATION, SECRET
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import SecretsManager

# Aurora user guide, rds-secrets-manager: a managed secret rotates every seven days.
DEFAULT_ROTATION_DAYS = 7
INPUT_VARIABLE = "DB_PASSWORD"
# How a resource policy is called in reports: it says who else may use a resource.
RESOURCE_POLICY = "a resource policy"
_MIN_LENGTH, _MAX_LENGTH = 8, 99
# botocore secretsmanager DescribeSecret: returns no key for a secret under the AWS managed key.
_AWS_MANAGED_KEY = "alias/aws/secretsmanager"
# A new KMS key is not known everywhere at once.
_KEY_NOT_VISIBLE_YET = codes("AccessDeniedException: kms", "EncryptionFailure", "InvalidParameterException: kms")
# What Aurora PostgreSQL refuses in a master password (botocore rds CreateDBCluster).
_FORBIDDEN_CHARACTERS = '/@" '
_PASSWORD_RULES = f'It must have {_MIN_LENGTH} to {_MAX_LENGTH} printable ASCII characters without / @ " and space.'


class Secret(ResourceType):
    """A secret; the state holds its ARN, never its value."""

    service, id_paths, name_property = "secretsmanager", "ARN", "Name"
    max_name_length = 512
    pricing = Pricing.monthly("secrets", "secret_month")
    ownership = SECRET
    immutable = frozenset({"Name"})
    write_only = frozenset({"SecretString"})
    defaults = {"KmsKeyId": _AWS_MANAGED_KEY}
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
            descriptions={"false": EXISTS, "true": "scheduled for deletion"},
        ),
    )
    # A secret that was deleted without a recovery window keeps its name for a short time, and cannot be
    # restored.
    retryable_codes = {
        "create": codes(
            "InvalidRequestException: deletion", "InvalidRequestException: deleted", "ResourceNotFoundException"
        )
        | _KEY_NOT_VISIBLE_YET,
        "update": _KEY_NOT_VISIBLE_YET,
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
        actual = {"KmsKeyId": _AWS_MANAGED_KEY, **secrets.describe_secret(SecretId=spec.props["Name"])}
        return {**actual, "Tags": mapping(actual.get("Tags", [])), "InRecovery": bool(actual.get("DeletedDate"))}

    def visible_until(self, actual: JsonObject) -> str:
        """Return the date on which the secret's recovery window ends; "" where it is in none."""
        deletion_date = actual.get("DeletedDate")
        return deletion_date.isoformat(timespec="minutes") if deletion_date else ""

    def restore(self, secrets: Any, spec: ResourceSpec) -> JsonObject | None:
        """Restore the stack's secret if it is in its recovery window; return None if it is not."""
        if not self._is_restorable(secrets, spec):
            return None
        reply = secrets.restore_secret(SecretId=spec.props["Name"])
        return {"Name": spec.props["Name"], "ARN": reply["ARN"]}

    def create(self, secrets: Any, spec: ResourceSpec) -> JsonObject:
        """Create the secret with CreateSecret; the token makes a repeated call harmless."""
        reply = secrets.create_secret(**spec.props, ClientRequestToken=spec.token, Tags=pairs(spec.tags))
        return {"Name": spec.props["Name"], "ARN": reply["ARN"]}

    def _is_restorable(self, secrets: Any, spec: ResourceSpec) -> bool:
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
        request = {key: value for key, value in changed.items() if key != "SecretString"}
        secrets.update_secret(SecretId=spec.id, Description=spec.props["Description"], **request)

    def retag(self, secrets: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        if put:
            secrets.tag_resource(SecretId=spec.id, Tags=pairs(put))
        if removed_keys := list(drop):
            secrets.untag_resource(SecretId=spec.id, TagKeys=removed_keys)

    def unmanaged(
        self, secrets: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the secret's resource policy, its copies and a rotation that somebody set up."""
        reply: JsonObject = default_if_unsupported(lambda: secrets.get_resource_policy(SecretId=spec.id), {})
        policies = [Unmanaged(RESOURCE_POLICY, {"SecretId": spec.id})] if reply.get("ResourcePolicy") else []
        return [*policies, *_unmanaged_copies(actual), *_unmanaged_rotation(actual)]

    def remove_unmanaged(self, secrets: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete the secret's resource policy."""
        secrets.delete_resource_policy(**unmanaged.request)

    def delete(self, secrets: Any, spec: ResourceSpec) -> None:
        """Delete the secret without a recovery window, which would keep its name for 30 days."""
        secrets.delete_secret(SecretId=spec.id, ForceDeleteWithoutRecovery=True)


def _unmanaged_copies(actual: JsonObject) -> list[Unmanaged]:
    """Return the secret's copies in other regions and accounts; they are reported, not removed.

    Readers there would lose the secret, and AWS refuses to delete a secret that has copies.
    """
    regions = (str(replica["Region"]) for replica in actual.get("ReplicationStatus") or [])
    arns = (str(replica["ReplicaSecretARN"]) for replica in actual.get("CrossAccountReplicas") or [])
    reason = "it is read there; delete it before a teardown, which it would block"
    return [
        *(Unmanaged(f"copy in {region}", {}, reason) for region in regions),
        *(Unmanaged(f"copy in another account {arn}".rstrip(), {}, reason) for arn in arns),
    ]


def _unmanaged_rotation(actual: JsonObject) -> list[Unmanaged]:
    """Return the rotation by a Lambda function that somebody set up, if there is one."""
    function_arn = actual.get("RotationLambdaARN") if actual.get("RotationEnabled") else ""
    reason = "it changes what the stack keeps there; `aws secretsmanager cancel-rotate-secret` ends it"
    return [Unmanaged(f"rotation by {function_arn}", {}, reason)] if function_arn else []


class Rotation(ResourceType):
    """The rotation schedule of the database password in the secret that RDS manages."""

    service, id_paths = "secretsmanager", "SecretId"
    pricing = FREE
    ownership = ROTATION
    tagged = False
    lookup_properties = ("SecretId",)
    immutable = frozenset({"SecretId"})
    replacing_calls = {"RotateSecret": ""}
    # Days, or a schedule (botocore secretsmanager RotationRulesType).
    alternatives = frozenset({"RotationRules.ScheduleExpression"})
    # The rotation counts as deleted once the secret has the schedule that RDS gives every managed secret.
    deleted = {"RotationRules": {"AutomaticallyAfterDays": DEFAULT_ROTATION_DAYS}}
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
        default_rules = {"AutomaticallyAfterDays": DEFAULT_ROTATION_DAYS}
        secrets.rotate_secret(SecretId=spec.id, RotationRules=default_rules, RotateImmediately=False)


@dataclass(frozen=True, repr=False)
class MasterLogin(SecretValue):
    """The first value of the database secret: `{username, password}` as JSON, with DB_PASSWORD."""

    username: str

    def reveal(self, clients: Clients, lookup: Lookup) -> str:
        """Return the JSON text; raise UsageError where DB_PASSWORD is unset or Aurora would refuse it."""
        return json.dumps({"username": self.username, "password": password_from_environment()})

    def missing_input(self) -> tuple[str, str]:
        """Return why there is no usable password, and what to do; two empty strings where there is one."""
        value = os.environ.get(INPUT_VARIABLE)
        if value is not None and _is_valid_password(value):
            return "", ""
        problem = "is not set" if value is None else "cannot be a master password"
        return (
            f"it is to hold the database's password, and {INPUT_VARIABLE} {problem}",
            f"Set {INPUT_VARIABLE} to a new password and run the same command again: it is kept in a new secret, "
            f"and set on the database. {_PASSWORD_RULES}",
        )

    def unused_input(self) -> str:
        """Return a note that DB_PASSWORD is not used, for when the secret already has a password."""
        return f"{INPUT_VARIABLE} is not used" if INPUT_VARIABLE in os.environ else ""


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

    def fingerprinted(self, clients: Clients, lookup: Lookup) -> StoredSecret:
        """Return the password, identified by its secret's ARN; a recreated secret has another ARN."""
        return StoredSecret(self, lookup(self.secret))

    def reveal(self, clients: Clients, lookup: Lookup) -> str:
        """Read the password with GetSecretValue."""
        arn = lookup(self.secret)
        value = clients.client(SecretsManager).get_secret_value(SecretId=arn)["SecretString"]
        return str(json.loads(value)["password"])


def password_from_environment() -> str:
    """Return the password in the environment variable DB_PASSWORD.

    Raises:
        UsageError: Aurora would refuse the value. The error does not contain it.

    """
    value = os.environ.get(INPUT_VARIABLE, "")
    if not _is_valid_password(value):
        raise UsageError(
            f"{INPUT_VARIABLE} cannot be a master password.",
            f"{_PASSWORD_RULES} Leave it unset, and RDS makes and rotates a password of its own.",
        )
    return value


def _is_valid_password(value: str) -> bool:
    """Return whether Aurora accepts a value as a master password."""
    printable = all("!" <= char <= "~" for char in value)
    return printable and not set(value) & set(_FORBIDDEN_CHARACTERS) and _MIN_LENGTH <= len(value) <= _MAX_LENGTH
