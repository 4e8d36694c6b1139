"""IAM: roles, their inline policies, and the service-linked roles of AWS services."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.field_owners.iam_and_logs import ROLE, ROLE_POLICY, SERVICE_ROLE
from provisioner.resources.role_details import list_roles, read_role_description, read_role_details
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import IAM

NOT_FOUND = codes("NoSuchEntity")
BUSY = codes("ConcurrentModification")


# Errors of calls that take a role, for a role that is too new to be known, without naming it. By
# terraform-provider-aws, which retries each for 2 min, where no other source is given.
_UNKNOWN_ROLE = codes(
    "ClientException: role is not valid",  # ecs RegisterTaskDefinition (fabfuel/ecs-deploy#231)
    "InvalidParameter: unable to assume given iam role",  # ec2 CreateFlowLogs (ec2/vpc_flow_log.go)
    "InvalidParameterException: unable to assume",  # ecs CreateService (ecs/service.go)
    "InvalidParameterValue: iam role arn value is invalid",  # rds CreateDBInstance (rds/instance.go)
    "ValidationException: unable to assume iam role",  # RegisterScalableTarget (appautoscaling/target.go)
    "MalformedPolicyDocument: invalid principal",  # iam UpdateAssumeRolePolicy (iam/role.go)
    "MalformedPolicyDocumentException: invalid principal",  # kms PutKeyPolicy (kms/key.go)
    "MalformedPolicyDocumentException: unsupported principal",  # PutResourcePolicy (secretsmanager/secret.go)
    "MalformedPolicy: invalid principal",  # s3 PutBucketPolicy (s3/bucket_policy.go)
    "InvalidParameter: principalnotfound",  # sns SetTopicAttributes (sns/topic_policy.go)
)


class Role(ResourceType):
    """A role; each of its policies is a resource of its own."""

    service, id_paths, name_property = "iam", "RoleName", "RoleName"
    max_name_length = 64
    pricing = FREE
    ownership = ROLE
    immutable = frozenset({"RoleName", "Path"})
    defaults = {"PermissionsBoundary": ""}
    exclusive = frozenset({"AssumeRolePolicyDocument"})
    replacing_calls = {"UpdateAssumeRolePolicy": "", "UpdateRole": ""}
    owns_children = True
    not_found_codes = NOT_FOUND
    unknown_reference_codes = _UNKNOWN_ROLE
    already_exists_codes = codes("EntityAlreadyExists")
    retryable_codes = {
        # A principal that was just created is not known yet (terraform-provider-aws iam/role.go: 2 min).
        "create": BUSY | codes("MalformedPolicyDocument: invalid principal"),
        "update": BUSY | codes("MalformedPolicyDocument: invalid principal"),
        "delete": BUSY | codes("DeleteConflict"),
    }
    unblocked_codes = BUSY
    iam_type, arn_properties = "role", ("{RoleName}",)
    operations = declare_operations(
        unmanaged="GetAccountSummary GetAccountAuthorizationDetails ListRolePolicies ListAttachedRolePolicies",
        remove_unmanaged="DeleteRolePolicy DetachRolePolicy",
        read="GetAccountSummary GetAccountAuthorizationDetails GetRole ListRoles",
        create="CreateRole",
        update=("UpdateAssumeRolePolicy UpdateRole PutRolePermissionsBoundary DeleteRolePermissionsBoundary"),
        retag="TagRole UntagRole",
        delete="DeleteRole DeleteRolePolicy DetachRolePolicy ListAttachedRolePolicies ListRolePolicies",
        blockers="ListInstanceProfilesForRole",
    )

    def read(self, iam: IAM, spec: ResourceSpec) -> JsonObject | None:
        """Read the role with GetRole.

        GetAccountAuthorizationDetails's answer about all roles is used instead if it shows the role as
        desired.
        """
        name = spec.props["RoleName"]
        if details := read_role_details(iam, name):
            actual = {**read_role_description(iam, name), **_to_properties(details)}
            if _is_as_desired(actual, spec):
                return actual
        return _to_properties(iam.get_role(RoleName=name)["Role"])

    def create(self, iam: IAM, spec: ResourceSpec) -> JsonObject:
        """Create the role with CreateRole."""
        trust = json.dumps(spec.props["AssumeRolePolicyDocument"])
        reply = iam.create_role(**{**spec.props, "AssumeRolePolicyDocument": trust}, Tags=pairs(spec.tags))
        return dict(reply["Role"])

    def update(self, iam: IAM, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the permissions boundary, the trust policy, the description and the session duration."""
        name = spec.props["RoleName"]
        if boundary := changed.get("PermissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
        elif "PermissionsBoundary" in changed:
            iam.delete_role_permissions_boundary(RoleName=name)
        if trust := changed.get("AssumeRolePolicyDocument"):
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        if "Description" in changed:
            # UpdateRole resets the one of the two that it is not given (botocore iam UpdateRole).
            request = {key: spec.props[key] for key in ("Description", "MaxSessionDuration") if key in spec.props}
            iam.update_role(RoleName=name, **request)

    def retag(self, iam: IAM, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with UntagRole, then TagRole."""
        # IAM treats the tags `team` and `Team` as one, so the tag that is set last remains.
        if removed_keys := list(drop):
            iam.untag_role(RoleName=spec.id, TagKeys=removed_keys)
        if put:
            iam.tag_role(RoleName=spec.id, Tags=pairs(put))

    def unmanaged(self, iam: IAM, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the inline and attached policies of the role that the stack does not declare."""
        if details := read_role_details(iam, spec.id):
            inline = [policy["PolicyName"] for policy in details["RolePolicyList"]]
            if not _undeclared_policies(children, inline, details["AttachedManagedPolicies"]):
                return []
        inline = iam.list_role_policies(RoleName=spec.id)["PolicyNames"]
        attached = iam.list_attached_role_policies(RoleName=spec.id)["AttachedPolicies"]
        return _undeclared_policies(children, inline, attached)

    def remove_unmanaged(self, iam: IAM, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete an inline policy, or detach a managed policy, that the stack does not declare."""
        if "PolicyName" in unmanaged.request:
            iam.delete_role_policy(RoleName=spec.id, **unmanaged.request)
        else:
            iam.detach_role_policy(RoleName=spec.id, **unmanaged.request)

    def delete(self, iam: IAM, spec: ResourceSpec) -> None:
        """Delete the role; if policies are still on it, take them off and let the retry delete it.

        The declared policies were deleted before: such a policy was put on the role by hand.
        """
        try:
            iam.delete_role(RoleName=spec.id)
        except ClientError as error:
            if code_of(error) == "DeleteConflict":
                _remove_policies(iam, spec.id)
            raise

    def blockers(self, iam: IAM, spec: ResourceSpec) -> list[Blocker]:
        """Return the instance profiles that contain the role; the stack itself makes none."""
        profiles = iam.list_instance_profiles_for_role(RoleName=spec.id)["InstanceProfiles"]
        names = [profile["InstanceProfileName"] for profile in profiles]
        return [Blocker(f"the instance profile {name}", temporary=False) for name in names]


def _remove_policies(iam: IAM, role: str) -> None:
    """Delete and detach all policies of a role; ignore those that are gone already."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        with _ignoring_not_found():
            iam.delete_role_policy(RoleName=role, PolicyName=name)
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        with _ignoring_not_found():
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])


@contextmanager
def _ignoring_not_found() -> Iterator[None]:
    """Ignore the error that a policy or role does not exist."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in NOT_FOUND:
            raise


def _undeclared_policies(children: KnownChildren, inline: list[str], attached: Sequence[JsonObject]) -> list[Unmanaged]:
    """Return the policies of a role that nobody declared."""
    names, arns = children.values("PolicyName"), children.values("PolicyArn")
    policies = [(f"inline policy {name}", {"PolicyName": name}) for name in inline if name not in names]
    attached_arns = [policy["PolicyArn"] for policy in attached]
    policies += [(f"attached policy {arn}", {"PolicyArn": arn}) for arn in attached_arns if arn not in arns]
    return [Unmanaged(description, request, not_found_codes=NOT_FOUND) for description, request in policies]


def _to_properties(role: JsonObject) -> JsonObject:
    """Return a role with its permissions boundary as an ARN and its tags as a mapping."""
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    return {**role, "PermissionsBoundary": boundary, "Tags": mapping(role.get("Tags") or [])}


def _is_as_desired(role: JsonObject, spec: ResourceSpec) -> bool:
    """Return whether a role has the desired properties and tags."""
    props = {"PermissionsBoundary": "", **spec.props}
    return spec.tags.items() <= role["Tags"].items() and all(role.get(key) == props[key] for key in props)


class RolePolicy(ResourceType):
    """One inline policy of a role."""

    container_property = "RoleName"
    deleted_at_reply = True
    service, id_paths = "iam", ("RoleName", "PolicyName")
    pricing = FREE
    ownership = ROLE_POLICY
    tagged = False
    unique_properties = ("RoleName", "PolicyName")
    lookup_properties = ("RoleName",)
    immutable = frozenset({"RoleName", "PolicyName"})
    exclusive = frozenset({"PolicyDocument"})
    replacing_calls = {"PutRolePolicy": ""}
    not_found_codes = NOT_FOUND
    retryable_codes = {"create": BUSY, "update": BUSY, "delete": BUSY}
    iam_type, arn_properties = "role", ("{RoleName}",)
    operations = declare_operations(
        read="GetAccountSummary GetAccountAuthorizationDetails GetRolePolicy",
        create="PutRolePolicy",
        update="PutRolePolicy",
        delete="DeleteRolePolicy",
    )

    def read(self, iam: IAM, spec: ResourceSpec) -> JsonObject | None:
        """Read the policy with GetRolePolicy.

        GetAccountAuthorizationDetails's answer about all roles is used instead if it shows the policy as
        desired.
        """
        role, name = spec.props["RoleName"], spec.props["PolicyName"]
        policies = (read_role_details(iam, role) or {}).get("RolePolicyList", [])
        if {"PolicyName": name, "PolicyDocument": spec.props.get("PolicyDocument")} in policies:
            return {key: spec.props[key] for key in ("RoleName", "PolicyName", "PolicyDocument")}
        return dict(iam.get_role_policy(RoleName=role, PolicyName=name))

    def create(self, iam: IAM, spec: ResourceSpec) -> JsonObject:
        """Create the policy with PutRolePolicy."""
        document = json.dumps(spec.props["PolicyDocument"])
        iam.put_role_policy(**{**spec.props, "PolicyDocument": document})
        return dict(spec.props)

    def update(self, iam: IAM, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the policy with PutRolePolicy."""
        self.create(iam, spec)

    def delete(self, iam: IAM, spec: ResourceSpec) -> None:
        """Delete the policy with DeleteRolePolicy."""
        iam.delete_role_policy(RoleName=spec.props["RoleName"], PolicyName=spec.props["PolicyName"])


class ServiceLinkedRole(ResourceType):
    """The account's service-linked role of one AWS service, made before the service's first use needs it."""

    service, id_paths = "iam", "AWSServiceName"
    pricing = FREE
    ownership = SERVICE_ROLE
    tagged, account_wide = False, True
    not_found_codes = NOT_FOUND
    # `InvalidInput`: "... has been taken in this account" (cube-js/cube#11581).
    already_exists_codes = codes("InvalidInput", "EntityAlreadyExists")
    iam_type, arn_properties = "role", ("aws-service-role/{AWSServiceName}/*",)
    operations = declare_operations(read="GetAccountSummary ListRoles", create="CreateServiceLinkedRole")

    def read(self, iam: IAM, spec: ResourceSpec) -> JsonObject | None:
        """Find the role below the path of service-linked roles; one ListRoles call serves all services."""
        name = spec.props["AWSServiceName"]
        roles = list_roles(iam, "/aws-service-role/")
        matching_roles = (role for role in roles if role["Path"] == f"/aws-service-role/{name}/")
        return next(({**role, "AWSServiceName": name} for role in matching_roles), None)

    def create(self, iam: IAM, spec: ResourceSpec) -> JsonObject:
        """Create the role with CreateServiceLinkedRole."""
        iam.create_service_linked_role(**spec.props)
        return dict(spec.props)

    def delete(self, iam: IAM, spec: ResourceSpec) -> None:
        """Do nothing: the role belongs to the account."""
