"""The IAM permissions that a call implies beyond its own action: passed roles, keys, service-linked roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.emulator.behaviours.iam import FIRST_USES
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.named_resources import place_of
from provisioner.emulator.patches.iam import SERVICE_ROLES
from provisioner.iam.required_actions import (
    ACTIONS_ON_ALL,
    ACTIONS_ON_NAMED,
    DECRYPT,
    DECRYPTED_THROUGH,
    GET_SECRET,
    KEY_USES,
    MANAGED_PASSWORD_ACTIONS,
    PASSED_ROLES,
    PRIVATE_DNS_ACTIONS,
    managed_rule_groups_arn,
    validated_actions,
    values_at,
    via_service,
)

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call


@dataclass(frozen=True)
class ImpliedAction:
    """A further action that a call needs, with the resource and the condition keys that IAM evaluates."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def implied_actions(action: str, call: Call) -> Iterator[ImpliedAction]:
    """Yield the further actions that a call needs, except those for tagging."""
    yield from _passed_roles(action, call)
    yield from _service_role(call)
    yield from (ImpliedAction(other, "*") for other in ACTIONS_ON_ALL.get(action, ()))
    if action in ACTIONS_ON_NAMED:
        named_action, parameter = ACTIONS_ON_NAMED[action]
        yield ImpliedAction(named_action, str(call.params[parameter]))
    location = place_of(call)
    if rule_groups := managed_rule_groups_arn(action, call.params, location):
        yield ImpliedAction(action, rule_groups)
    if action == "rds:CreateDBCluster" and call.params.get("ManageMasterUserPassword"):
        yield from _managed_password(call)
    parameter, dns_action = PRIVATE_DNS_ACTIONS.get(action, ("", ""))
    if call.params.get(parameter):
        yield ImpliedAction(dns_action, "*")
    services = []
    if "ResourceId" in call.params:
        services = ["arn:{Partition}:ecs:{Region}:{Account}:".format_map(location) + call.params["ResourceId"]]
    yield from (ImpliedAction(other, arn) for other, arn in validated_actions(action, services, location))
    yield from _key_uses(action, call)


def _managed_password(call: Call) -> Iterator[ImpliedAction]:
    """Yield the actions for a master password that RDS manages: on its secrets, and on any key."""
    place = f"{call.region}:{call.account}"
    secret, key = f"arn:aws:secretsmanager:{place}:secret:rds!cluster-*", f"arn:aws:kms:{place}:key/*"
    for action in MANAGED_PASSWORD_ACTIONS:
        yield ImpliedAction(action, key if action.startswith("kms") else secret)


def _key_uses(action: str, call: Call) -> Iterator[ImpliedAction]:
    """Yield the actions on the KMS key that the call names, or that encrypts the secret it reads.

    The service uses the key with the caller's permissions.
    """
    for use in KEY_USES.get(action, ()):
        condition = {"kms:ViaService": (via_service(use.service, call.region),)}
        for key in values_at(call.params, use.path.split(".")):
            if ":key/" in str(key):
                yield from (ImpliedAction(f"kms:{key_action}", str(key), condition) for key_action in use.actions)
    if action == GET_SECRET:
        secret = backend("secretsmanager", call.account, call.region).secrets.get(call.params["SecretId"])
        if secret is not None and ":key/" in str(secret.kms_key_id):
            condition = {"kms:ViaService": (via_service(DECRYPTED_THROUGH, call.region),)}
            yield ImpliedAction(DECRYPT, str(secret.kms_key_id), condition)


def _passed_roles(action: str, call: Call) -> Iterator[ImpliedAction]:
    """Yield iam:PassRole for each role that the call passes to a service."""
    for path, service in PASSED_ROLES.get(action, {}).items():
        for role in values_at(call.params, path.split(".")):
            yield ImpliedAction("iam:PassRole", str(role), {"iam:PassedToService": (service,)})


def _service_role(call: Call) -> Iterator[ImpliedAction]:
    """Yield iam:CreateServiceLinkedRole if this call is the account's first use of the service."""
    principal = FIRST_USES.get((call.service, call.operation))
    if principal is None:
        return
    name = SERVICE_ROLES[principal]
    roles = backend("iam", call.account, "aws").roles.values()
    if not any(role.name == name for role in roles):
        arn = f"arn:aws:iam::{call.account}:role/aws-service-role/{principal}/{name}"
        yield ImpliedAction("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": (principal,)})
