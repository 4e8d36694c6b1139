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
    yield from _passed(action, call)
    yield from _service_role(call)
    yield from (ImpliedAction(one, "*") for one in ACTIONS_ON_ALL.get(action, ()))
    if action in ACTIONS_ON_NAMED:
        name, parameter = ACTIONS_ON_NAMED[action]
        yield ImpliedAction(name, str(call.params[parameter]))
    if groups := managed_rule_groups_arn(action, call.params, place_of(call)):
        yield ImpliedAction(action, groups)
    if action == "rds:CreateDBCluster" and call.params.get("ManageMasterUserPassword"):
        where = f"{call.region}:{call.account}"
        secret, key = f"arn:aws:secretsmanager:{where}:secret:rds!cluster-*", f"arn:aws:kms:{where}:key/*"
        for one in MANAGED_PASSWORD_ACTIONS:
            yield ImpliedAction(one, key if one.startswith("kms") else secret)
    if action in PRIVATE_DNS_ACTIONS:
        named, needed = PRIVATE_DNS_ACTIONS[action]
        yield from [ImpliedAction(needed, "*")] if call.params.get(named) else []
    of_service = "arn:{Partition}:ecs:{Region}:{Account}:".format_map(place_of(call))
    scaled = [of_service + call.params["ResourceId"]] if "ResourceId" in call.params else []
    yield from (ImpliedAction(one, on) for one, on in validated_actions(action, scaled, place_of(call)))
    yield from _under_key(action, call)


def _under_key(action: str, call: Call) -> Iterator[ImpliedAction]:
    """Yield the actions on the KMS key that the call names, or that encrypts the secret it reads.

    The service uses the key with the caller's permissions.
    """
    for path, service, actions in KEY_USES.get(action, ()):
        through = {"kms:ViaService": (via_service(service, call.region),)}
        for key in values_at(call.params, path.split(".")):
            if ":key/" in str(key):
                yield from (ImpliedAction(f"kms:{one}", str(key), through) for one in actions)
    if action == GET_SECRET:
        secret = backend("secretsmanager", call.account, call.region).secrets.get(call.params["SecretId"])
        if secret is not None and ":key/" in str(secret.kms_key_id):
            through = {"kms:ViaService": (via_service(DECRYPTED_THROUGH, call.region),)}
            yield ImpliedAction(DECRYPT, str(secret.kms_key_id), through)


def _passed(action: str, call: Call) -> Iterator[ImpliedAction]:
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
