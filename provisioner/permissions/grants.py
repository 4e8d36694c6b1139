"""The grants that a declared graph needs of IAM: each one action on one resource, under a condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import refs_in, secrets_in
from provisioner.iam import reference
from provisioner.iam.reference import REQUEST_TAG, RESOURCE_TAG, Action, ActionTarget, require_action
from provisioner.iam.required_actions import (
    ACTIONS_ON_ALL,
    ACTIONS_ON_NAMED,
    ALSO_REQUIRED,
    CONTAINING_TYPES,
    DECRYPT,
    DECRYPTED_THROUGH,
    DEFAULT_RESOURCES,
    EVALUATED_IF_NAMED,
    GET_SECRET,
    KEY_USES,
    MANAGED_PASSWORD_ACTIONS,
    PASSED_ROLES,
    PRIVATE_DNS_ACTIONS,
    RECORD_NAMES_KEY,
    UNSCOPED_ACTIONS,
    managed_rule_groups_arn,
    validated_actions,
    values_at,
    via_service,
)
from provisioner.permissions.arns import BOUNDARY, CallTarget, Condition, StackArns, has_arn_type

# The operators that compare iam:PermissionsBoundary, by action.
_BOUNDARY_OPERATORS = {
    # These can give a role more rights: granted only for roles under the permissions boundary.
    "iam:CreateRole": "StringEquals",
    "iam:PutRolePolicy": "StringEquals",
    "iam:PutRolePermissionsBoundary": "StringEquals",
    # By the service authorization reference, the key is known here too; in practice it was not
    # (alphagov/gsp#990). Neither of these actions gives a role a right that it does not have.
    "iam:UpdateAssumeRolePolicy": "StringEqualsIfExists",
    "iam:UpdateRole": "StringEqualsIfExists",
}
# Actions that are not granted for a role that is declared with a boundary (True) or without one (False).
_WITHHELD_BY_BOUNDARY = {"iam:DeleteRolePermissionsBoundary": True, "iam:PutRolePermissionsBoundary": False}
# Methods that are not granted for a boundary if the operator creates roles under it.
CHANGING_METHODS = ("update", "retag", "delete", "remove_unmanaged")


@dataclass(frozen=True)
class Grant:
    """One action on one resource, under a condition."""

    action: str
    resource: str
    condition: Condition = ()

    @property
    def reads(self) -> bool:
        """Whether the action changes nothing."""
        return require_action(self.action).only_reads


class Grants(StackArns):
    """The grants that methods of the declared resource types need, such as `create` or `delete`."""

    def grants_of(self, methods: Sequence[str], type_name: str = "") -> Iterator[Grant]:
        """Yield the grants that the methods need on all resources, or only on those of one type."""
        # A command that only reads compares nothing with what is declared, and needs no secrets.
        needs_secrets = not set(methods) <= {"read", "read_status"}
        for resource in self.stack:
            if type_name not in ("", str(resource.type)):
                continue
            if needs_secrets:
                yield from self._secret_grants(resource, look_only="create" not in methods)
            if "create" in methods:
                yield from self._key_grants(resource)
            for method in _with_implied_methods(resource, methods):
                for operation in resource.type.operations_of(method):
                    yield from self._call_grants(resource, method, operation)

    def _call_grants(self, resource: Resource, method: str, operation: str) -> Iterator[Grant]:
        """Yield the grants for one operation that a method calls on a resource."""
        action = require_action(reference.action_of(resource.type.service, operation))
        if action.only_reads:
            yield from (Grant(action.name, arn) for arn in self._read_arns(action, resource))
            return
        if _WITHHELD_BY_BOUNDARY.get(action.name) == bool(self.property_text(resource, BOUNDARY)):
            return
        for target in action.targets or (None,):
            for call_target in self._call_targets(action, target, resource):
                condition = self._condition(action, target, resource, method, call_target)
                for name in (action.name, *_actions_on_same_resource(action.name, resource)):
                    yield Grant(name, call_target.arn, condition)
        yield from self._additional_grants(action, resource, method)

    def _read_arns(self, action: Action, resource: Resource) -> Iterator[str]:
        """Yield the ARNs that a read needs: all of a type for a list, else those of named resources."""
        if not action.targets:
            yield "*"
        own_targets = [target for target in action.targets if has_arn_type(resource, action.prefix, target.type)]
        for target in own_targets or action.targets:
            if action.covers_all(target):
                yield self._any_arn(action, target, resource)
            else:
                yield from (call_target.arn for call_target in self._call_targets(action, target, resource))

    def _any_arn(self, action: Action, target: ActionTarget, resource: Resource) -> str:
        """Return the ARN of any resource of a type, where the resource is."""
        return reference.arn(action.prefix, target.type, (), self.arn_location(resource))

    def _call_targets(self, action: Action, target: ActionTarget | None, resource: Resource) -> list[CallTarget]:
        """Return the resources of one type that a call concerns, as targets of its grants.

        These are the resource itself if it is of this type, else the stack's resources of this type. If there
        are none, and the action always concerns this type, any resource of the account is the target.
        """
        if target is None:
            return [CallTarget("*", has_generated_id=True)]
        if action.name in UNSCOPED_ACTIONS:
            return [CallTarget(self._any_arn(action, target, resource), has_generated_id=False)]
        if has_arn_type(resource, action.prefix, target.type):
            return [self.call_target(resource)]
        if implied := self._implied_arn(action, target, resource):
            return [CallTarget(implied, has_generated_id=False)]
        if action.level == "Tagging" or (action.only_reads and not target.is_required):
            return []
        if name_property := EVALUATED_IF_NAMED.get((action.name, target.type)):
            return self._named_target(action, target, resource, name_property)
        same_type = (other for other in self.stack if has_arn_type(other, action.prefix, target.type))
        call_targets = {self.call_target(other) for other in same_type if not other.type.untagged}
        anything = CallTarget(self._any_arn(action, target, resource), has_generated_id=False)
        return sorted(call_targets) or ([anything] if target.is_required else [])

    def _implied_arn(self, action: Action, target: ActionTarget, resource: Resource) -> str:
        """Return the ARN for objects in the resource, or for AWS's default that it uses; "" for neither."""
        key = action.name, target.type
        container = CONTAINING_TYPES.get((action.prefix, target.type))
        if container and has_arn_type(resource, action.prefix, container):
            return reference.arn(action.prefix, target.type, self._arn_values(resource), self.arn_location(resource))
        if key in DEFAULT_RESOURCES and not resource.props.get(DEFAULT_RESOURCES[key]):
            return reference.arn(action.prefix, target.type, ("default*",), self.arn_location(resource))
        return ""

    def _named_target(
        self, action: Action, target: ActionTarget, resource: Resource, name_property: str
    ) -> list[CallTarget]:
        """Return a target for the name in the property `name_property`, or [] if the resource has none."""
        name = resource.props.get(name_property)
        arn = reference.arn(action.prefix, target.type, (f"{name}*",), self.arn_location(resource))
        return [CallTarget(arn, has_generated_id=False)] if name else []

    def _condition(
        self, action: Action, target: ActionTarget | None, resource: Resource, method: str, call_target: CallTarget
    ) -> Condition:
        """Return the condition of a grant.

        Roles are limited by their boundary, DNS records by their names, and service-linked roles by their
        service. Resources whose names AWS chooses are limited by their tags. Resources that AWS itself
        created must have no Project tag.
        """
        operator = _BOUNDARY_OPERATORS.get(action.name)
        if operator and (boundary := self.property_text(resource, BOUNDARY)):
            return ((operator, "iam:PermissionsBoundary", (boundary,)),)
        if action.supports(RECORD_NAMES_KEY):
            return self.record_names(resource)
        if action.supports("iam:AWSServiceName") and "AWSServiceName" in resource.props:
            return (("StringEquals", "iam:AWSServiceName", (resource.props["AWSServiceName"],)),)
        if resource.type.untagged:
            return (("Null", f"{RESOURCE_TAG}/Project", ("true",)),)
        if not call_target.has_generated_id:
            return ()
        if method == "create" and action.supports(REQUEST_TAG, target):
            return self.tags(REQUEST_TAG)
        return self.tags(RESOURCE_TAG) if target and action.supports(RESOURCE_TAG, target) else ()

    def _additional_grants(self, action: Action, resource: Resource, method: str) -> Iterator[Grant]:
        """Yield the grants that a call needs besides its own action, such as to tag or to pass a role."""
        name, location = action.name, self.arn_location(resource)
        if method == "create" and resource.type.tagged and (tagging := reference.tagging_action(name)):
            yield self._tagging_grant(require_action(tagging), action, resource)
        yield from self._pass_role_grants(action, resource)
        if name == "rds:CreateDBCluster" and resource.props.get("ManageMasterUserPassword"):
            for password_action in MANAGED_PASSWORD_ACTIONS:
                yield Grant(password_action, self._managed_password_arn(password_action, resource))
        yield from (Grant(other, "*") for other in _actions_on_all(name, resource))
        if name in ACTIONS_ON_NAMED:
            named_action, parameter = ACTIONS_ON_NAMED[name]
            yield Grant(named_action, self.text_of(resource.props[parameter]))
        services = [self.arn(other) for other in self.stack if has_arn_type(other, "ecs", "service")]
        for validated, arn in validated_actions(name, services, location):
            yield Grant(validated, arn)
        if rule_groups := managed_rule_groups_arn(name, resource.props, location):
            yield Grant(name, rule_groups)

    def _pass_role_grants(self, action: Action, resource: Resource) -> Iterator[Grant]:
        """Yield the grants to pass the roles that a resource names to the services that assume them."""
        for path, service in PASSED_ROLES.get(action.name, {}).items():
            for role in values_at(resource.props, path.split(".")):
                condition = (("StringEquals", "iam:PassedToService", (service,)),)
                yield Grant("iam:PassRole", self.text_of(role), condition)

    def _key_grants(self, resource: Resource) -> Iterator[Grant]:
        """Yield the grants on each KMS key that a resource names, for the calls that create and update it."""
        for method in ("create", "update"):
            for operation in resource.type.operations_of(method):
                action = reference.action_of(resource.type.service, operation)
                for use in KEY_USES.get(action, ()):
                    for key in values_at(resource.props, use.path.split(".")):
                        for key_action in use.actions:
                            yield self._key_grant(f"kms:{key_action}", key, use.service, resource)

    def _key_grant(self, action: str, key: Any, service: str, resource: Resource) -> Grant:
        """Return the grant of an action on a KMS key of the stack, through the service that uses the key."""
        region = self.arn_location(resource)["Region"]
        through: Condition = (("StringEquals", "kms:ViaService", (via_service(service, region),)),)
        return Grant(action, self.text_of(key), (*through, *self.tags(RESOURCE_TAG)))

    def _secret_grants(self, resource: Resource, *, look_only: bool) -> Iterator[Grant]:
        """Yield the grants to look up a resource's secrets; with `look_only`, those that a plan needs."""
        for secret in secrets_in(resource.props):
            if secret.is_read_in_plan or not look_only:
                for name in secret.operations:
                    yield from (Grant(name, self.text_of(ref)) for ref in refs_in(secret))
                yield from self._decrypt_grants(secret, resource)

    def _decrypt_grants(self, secret: Any, resource: Resource) -> Iterator[Grant]:
        """Yield the grants to decrypt a secret's value if the secret is encrypted with a key of the stack."""
        if GET_SECRET not in secret.operations:
            return
        for ref in refs_in(secret):
            if key := self.stack.resources[ref.logical_id].props.get("KmsKeyId"):
                yield self._key_grant(DECRYPT, key, DECRYPTED_THROUGH, resource)

    def _tagging_grant(self, tagging: Action, creating: Action, resource: Resource) -> Grant:
        """Return the grant to tag what a call creates, limited to that call if IAM knows which call it is."""
        prefix, short_name = creating.name.split(":", 1)
        key = f"{prefix}:CreateAction"
        condition: Condition = ()
        if tagging.supports(key):
            condition = (("StringEquals", key, (short_name,)),)
        elif not resource.type.arn_properties:
            condition = self.tags(REQUEST_TAG)
        return Grant(tagging.name, self.arn(resource), condition)

    def _managed_password_arn(self, name: str, resource: Resource) -> str:
        """Return the ARN for an action of a managed password: the secrets that RDS makes, or any key."""
        prefix = name.split(":", 1)[0]
        type_, values = ("Secret", ("rds!cluster-*",)) if prefix == "secretsmanager" else ("key", ())
        return reference.arn(prefix, type_, values, self.arn_location(resource))


def _with_implied_methods(resource: Resource, methods: Sequence[str]) -> list[str]:
    """Return the methods that are called on a resource: the wanted ones, and those that come with them.

    A boundary that limits the roles of the stack may be created, and not changed, by who creates the roles.
    """
    called = list(methods)
    if "delete" in methods:  # the deletion protection is removed first, by `remove_protection` or an update
        called += ["remove_protection", *(["update"] if resource.type.unprotected else [])]
    if "create" in methods:
        called.append("restore")
    if "create" in methods and resource.type.limits_permissions:
        called = [method for method in called if method not in CHANGING_METHODS]
    return list(dict.fromkeys(called))


def _actions_on_all(action: str, resource: Resource) -> Iterator[str]:
    """Yield the further actions that a call needs on "*"."""
    yield from ACTIONS_ON_ALL.get(action, ())
    parameter, dns_action = PRIVATE_DNS_ACTIONS.get(action, ("", ""))
    if resource.props.get(parameter):
        yield dns_action


def _actions_on_same_resource(action: str, resource: Resource) -> tuple[str, ...]:
    """Return the further actions that a call needs on the same resource, by the resource's properties."""
    required = ALSO_REQUIRED.get(action)
    if required is None or (required.is_declared and not resource.props.get(required.path)):
        return ()
    return required.actions
