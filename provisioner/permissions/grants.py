"""The grants that a declared graph needs of IAM: each one action on one resource, under a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import refs_in, secrets_in
from provisioner.iam import reference
from provisioner.iam.reference import REQUEST_TAG, RESOURCE_TAG, Action, ActionTarget
from provisioner.iam.reference import known as known_action
from provisioner.iam.required_actions import (
    BESIDES,
    DEFAULTS,
    IF_NAMED,
    LIES_IN,
    MANAGED_PASSWORD,
    OF_ALL,
    ON_NAMED,
    OPENED_BY,
    OPENING,
    OPENS,
    PASSES,
    PRIVATE_NAMES,
    RECORDS,
    TOO,
    UNDER_KEY,
    on_groups,
    tagging_action,
    tried,
    values_at,
    via,
)
from provisioner.permissions.arns import BOUNDARY, CallTarget, Condition, StackArns, has_arn_type

# Actions that can give a role more rights: granted only for roles under the permissions boundary.
_CAPPED = ("CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary")
# By the service authorization reference, iam:PermissionsBoundary is known here too; in practice it was not
# (alphagov/gsp#990). Neither of these actions gives a role a right that it does not have.
_CAPPED_IF_TOLD = ("UpdateAssumeRolePolicy", "UpdateRole")
# Actions that are not granted for a role that is declared with a boundary (True) or without one (False).
_SWITCHES = {"iam:DeleteRolePermissionsBoundary": True, "iam:PutRolePermissionsBoundary": False}
# Methods that are not granted for a boundary if the operator creates roles under it.
_CHANGES = ("update", "retag", "delete", "remove_unmanaged")


@dataclass(frozen=True)
class Grant:
    """One action on one resource, under a condition, and the resource type that needs it."""

    action: str
    resource: str
    kind: str
    condition: Condition = ()

    @property
    def reads(self) -> bool:
        """Whether the action changes nothing."""
        return known_action(self.action).reads


class Grants(StackArns):
    """The grants that methods of the declared resource types need, such as `create` or `delete`."""

    def of(self, actions: Iterable[str], type_name: str = "") -> Iterator[Grant]:
        """Yield the grants that the methods `actions` need on all resources, or only on those of one type."""
        chosen = list(actions)
        # A command that only reads compares nothing with what is declared, and needs no secrets.
        compares = not set(chosen) <= {"read", "read_status"}
        for resource in (one for one in self.stack if type_name in ("", str(one.type))):
            if compares:
                yield from self._of_secrets(resource, look_only="create" not in chosen)
            if "create" in chosen:
                yield from self._of_keys(resource)
            # Before a deletion, `lift` or an update removes the deletion protection.
            also = (
                ["remove_protection", *(["update"] if resource.type.unprotected else [])] if "delete" in chosen else []
            )
            also += ["restore"] if "create" in chosen else []
            for action in dict.fromkeys([*chosen, *also]):
                if resource.type.limits_permissions and "create" in chosen and action in _CHANGES:
                    continue
                for operation in resource.type.operations_of(action):
                    yield from self._of_call(resource, action, operation)

    def _of_call(self, resource: Resource, action: str, operation: str) -> Iterator[Grant]:
        """Yield the grants for one operation that a method calls on a resource."""
        known = known_action(reference.action_of(resource.type.service, operation))
        if known.reads:
            yield from (Grant(known.name, arn, str(resource.type)) for arn in self._read(known, resource))
            return
        if _SWITCHES.get(known.name) == bool(self.property_text(resource, BOUNDARY)):
            return
        for on in known.on or (None,):
            for target in self._targets(known, on, resource):
                condition = self._condition(known, on, resource, action, target)
                for name in (known.name, *_too(known.name, resource)):
                    yield Grant(name, target.arn, str(resource.type), condition)
        yield from self._besides(known, resource, action)

    def _read(self, known: Action, resource: Resource) -> Iterator[str]:
        """Yield the ARNs that a read needs: all of a type for a list, else those of named resources."""
        if not known.on:
            yield "*"
        own = [on for on in known.on if has_arn_type(resource, known.prefix, on.type)]
        for on in own or known.on:
            if known.whole(on):
                yield reference.arn(known.prefix, on.type, (), self.arn_location(resource))
            else:
                yield from (target.arn for target in self._targets(known, on, resource))

    def _targets(self, known: Action, on: ActionTarget | None, resource: Resource) -> list[CallTarget]:
        """Return the resources of one type that a call concerns, as targets of its grants.

        These are the resource itself if it is of this type, else the stack's resources of this type. If there
        are none, and the action always concerns this type, any resource of the account is the target.
        """
        if on is None:
            return [CallTarget("*", by_id=True)]
        if known.name in OF_ALL:
            whole = reference.arn(known.prefix, on.type, (), self.arn_location(resource))
            return [CallTarget(whole, by_id=False)]
        if has_arn_type(resource, known.prefix, on.type):
            return [self.target(resource)]
        if named := self._by_its_place(known, on, resource):
            return [CallTarget(named, by_id=False)]
        if known.level == "Tagging" or (known.reads and not on.always):
            return []
        if naming := IF_NAMED.get((known.name, on.type)):
            return self._if_named(known, on, resource, naming)
        alike = (one for one in self.stack if not one.type.untagged)
        stacks = {self.target(one) for one in alike if has_arn_type(one, known.prefix, on.type)}
        anyone = reference.arn(known.prefix, on.type, (), self.arn_location(resource))
        return sorted(stacks) or ([CallTarget(anyone, by_id=False)] if on.always else [])

    def _by_its_place(self, known: Action, on: ActionTarget, resource: Resource) -> str:
        """Return the ARN for objects in the resource, or for AWS's default that it uses; "" for neither."""
        of = known.name, on.type
        holder = LIES_IN.get((known.prefix, on.type))
        if holder and has_arn_type(resource, known.prefix, holder):
            return reference.arn(known.prefix, on.type, self._fills(resource), self.arn_location(resource))
        if of in DEFAULTS and not resource.props.get(DEFAULTS[of]):
            return reference.arn(known.prefix, on.type, ("default*",), self.arn_location(resource))
        return ""

    def _if_named(self, known: Action, on: ActionTarget, resource: Resource, naming: str) -> list[CallTarget]:
        """Return a target for the name in the property `naming`, or [] if the resource has none."""
        named = resource.props.get(naming)
        whole = reference.arn(known.prefix, on.type, (f"{named}*",), self.arn_location(resource))
        return [CallTarget(whole, by_id=False)] if named else []

    def _condition(
        self, known: Action, on: ActionTarget | None, resource: Resource, action: str, target: CallTarget
    ) -> Condition:
        """Return the condition of a grant.

        Roles are limited by their boundary, DNS records by their names, and service-linked roles by their
        service. Resources whose names AWS chooses are limited by their tags. Resources that AWS itself
        created must have no Project tag.
        """
        short = known.name.split(":", 1)[1]
        if short in (*_CAPPED, *_CAPPED_IF_TOLD) and (boundary := self.property_text(resource, BOUNDARY)):
            operator = "StringEquals" if short in _CAPPED else "StringEqualsIfExists"
            return ((operator, "iam:PermissionsBoundary", (boundary,)),)
        if known.takes(RECORDS):
            return self.record_names(resource)
        if known.takes("iam:AWSServiceName") and "AWSServiceName" in resource.props:
            return (("StringEquals", "iam:AWSServiceName", (resource.props["AWSServiceName"],)),)
        if resource.type.untagged:
            return (("Null", f"{RESOURCE_TAG}/Project", ("true",)),)
        if not target.by_id:
            return ()
        if action == "create" and known.takes(REQUEST_TAG, on):
            return self.tags(REQUEST_TAG)
        return self.tags(RESOURCE_TAG) if on and known.takes(RESOURCE_TAG, on) else ()

    def _besides(self, known: Action, resource: Resource, action: str) -> Iterator[Grant]:
        """Yield the grants that a call needs besides its own action, such as to tag or to pass a role."""
        type_name = str(resource.type)
        if action == "create" and resource.type.tagged and (name := tagging_action(known.name)):
            yield from self._tagging(known_action(name), known, resource)
        for path, service in PASSES.get(known.name, {}).items():
            for role in values_at(resource.props, path.split(".")):
                to = (("StringEquals", "iam:PassedToService", (service,)),)
                yield Grant("iam:PassRole", self.text(role), type_name, to)
        if known.name == "rds:CreateDBCluster" and resource.props.get("ManageMasterUserPassword"):
            yield from (Grant(one, self._managed(one, resource), type_name) for one in MANAGED_PASSWORD)
        yield from (Grant(one, "*", type_name) for one in BESIDES.get(known.name, ()))
        if known.name in PRIVATE_NAMES and resource.props.get(PRIVATE_NAMES[known.name][0]):
            yield Grant(PRIVATE_NAMES[known.name][1], "*", type_name)
        if known.name in ON_NAMED:
            name, parameter = ON_NAMED[known.name]
            yield Grant(name, self.text(resource.props[parameter]), type_name)
        services = [self.arn(one) for one in self.stack if has_arn_type(one, "ecs", "service")]
        yield from (Grant(one, on, type_name) for one, on in tried(known.name, services, self.arn_location(resource)))
        if groups := on_groups(known.name, resource.props, self.arn_location(resource)):
            yield Grant(known.name, groups, type_name)

    def _of_keys(self, resource: Resource) -> Iterator[Grant]:
        """Yield the grants on each KMS key that a resource names, for the calls that create and update it."""
        for action in ("create", "update"):
            for operation in resource.type.operations_of(action):
                use = reference.action_of(resource.type.service, operation)
                for path, service, actions in UNDER_KEY.get(use, ()):
                    for key in values_at(resource.props, path.split(".")):
                        yield from (self._on_key(f"kms:{one}", key, service, resource) for one in actions)

    def _on_key(self, action: str, key: Any, service: str, resource: Resource) -> Grant:
        """Return the grant of an action on a KMS key of the stack, through the service that uses the key."""
        region = self.arn_location(resource)["Region"]
        through: Condition = (("StringEquals", "kms:ViaService", (via(service, region),)),)
        return Grant(action, self.text(key), str(resource.type), (*through, *self.tags(RESOURCE_TAG)))

    def _of_secrets(self, resource: Resource, *, look_only: bool) -> Iterator[Grant]:
        """Yield the grants to look up a resource's secrets; with `look_only`, those that a plan needs."""
        for secret in secrets_in(resource.props):
            if secret.is_read_in_plan or not look_only:
                for name in secret.operations:
                    yield from (Grant(name, self.text(ref), str(resource.type)) for ref in refs_in(secret))
                yield from self._opening(secret, resource)

    def _opening(self, secret: Any, resource: Resource) -> Iterator[Grant]:
        """Yield the grants to decrypt a secret's value if the secret is encrypted with a key of the stack."""
        held = (self.stack.resources[ref.logical_id] for ref in refs_in(secret) if OPENS in secret.operations)
        keys = (one.props["KmsKeyId"] for one in held if one.props.get("KmsKeyId"))
        yield from (self._on_key(OPENING, key, OPENED_BY, resource) for key in keys)

    def _tagging(self, tagging: Action, known: Action, node: Resource) -> Iterator[Grant]:
        """Yield the grant to tag what a call creates, limited to that call if IAM knows which call it is."""
        prefix, short = known.name.split(":", 1)
        resource = self.arn(node)
        key = f"{prefix}:CreateAction"
        condition: Condition = ()
        if tagging.takes(key):
            condition = (("StringEquals", key, (short,)),)
        elif not node.type.arn_properties:
            condition = self.tags(REQUEST_TAG)
        yield Grant(tagging.name, resource, str(node.type), condition)

    def _managed(self, name: str, resource: Resource) -> str:
        """Return the ARN for an action of a managed password: the secrets that RDS makes, or any key."""
        prefix = name.split(":", 1)[0]
        type_, fills = ("Secret", ("rds!cluster-*",)) if prefix == "secretsmanager" else ("key", ())
        return reference.arn(prefix, type_, fills, self.arn_location(resource))


def _too(action: str, resource: Resource) -> tuple[str, ...]:
    """Return further actions that a call needs on the same resources if the properties call for them."""
    too = TOO.get(action)
    return too.actions if too and (not too.declared or resource.props.get(too.path)) else ()
