"""IAM: roles, their inline policies, and the service-linked roles of AWS services."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.ownership.iam_and_logs import ROLE, ROLE_POLICY, SERVICE_ROLE
from provisioner.resources.role_details import described, detail, listed
from provisioner.resources.tags import mapping, pairs

GONE = codes("NoSuchEntity")
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
    ownership = ROLE
    immutable = frozenset({"RoleName", "Path"})
    defaults = {"PermissionsBoundary": ""}
    exclusive = frozenset({"AssumeRolePolicyDocument"})
    replacing_calls = {"UpdateAssumeRolePolicy": "", "UpdateRole": ""}
    owns_children = True
    not_found_codes = GONE
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

    def read(self, iam: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the role with GetRole.

        GetAccountAuthorizationDetails's answer about all roles is used instead if it shows the role as
        desired.
        """
        name = spec.props["RoleName"]
        if (told := detail(iam, name)) and _is_wanted(actual := {**described(iam, name), **_flat(told)}, spec):
            return actual
        return _flat(iam.get_role(RoleName=name)["Role"])

    def create(self, iam: Any, spec: ResourceSpec) -> JsonObject:
        """Create the role with CreateRole."""
        trust = json.dumps(spec.props["AssumeRolePolicyDocument"])
        made = iam.create_role(**{**spec.props, "AssumeRolePolicyDocument": trust}, Tags=pairs(spec.tags))
        return dict(made["Role"])

    def update(self, iam: Any, spec: ResourceSpec, changed: JsonObject) -> None:
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
            told = {key: spec.props[key] for key in ("Description", "MaxSessionDuration") if key in spec.props}
            iam.update_role(RoleName=name, **told)

    def retag(self, iam: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with UntagRole, then TagRole."""
        # IAM treats the tags `team` and `Team` as one, so the tag that is set last remains.
        if gone := list(drop):
            iam.untag_role(RoleName=spec.id, TagKeys=gone)
        if put:
            iam.tag_role(RoleName=spec.id, Tags=pairs(put))

    def unmanaged(self, iam: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the inline and attached policies of the role that the stack does not declare."""
        if told := detail(iam, spec.id):
            inline = [policy["PolicyName"] for policy in told["RolePolicyList"]]
            if not _unknown(children, inline, told["AttachedManagedPolicies"]):
                return []
        inline = iam.list_role_policies(RoleName=spec.id)["PolicyNames"]
        attached = iam.list_attached_role_policies(RoleName=spec.id)["AttachedPolicies"]
        return _unknown(children, inline, attached)

    def remove_unmanaged(self, iam: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete an inline policy, or detach a managed policy, that the stack does not declare."""
        if "PolicyName" in unmanaged.request:
            iam.delete_role_policy(RoleName=spec.id, **unmanaged.request)
        else:
            iam.detach_role_policy(RoleName=spec.id, **unmanaged.request)

    def delete(self, iam: Any, spec: ResourceSpec) -> None:
        """Delete the role; if policies are still on it, take them off and let the retry delete it.

        The declared policies were deleted before: such a policy was put on the role by hand.
        """
        try:
            iam.delete_role(RoleName=spec.id)
        except ClientError as error:
            if code_of(error) == "DeleteConflict":
                _strip(iam, spec.id)
            raise

    def blockers(self, iam: Any, spec: ResourceSpec) -> list[Blocker]:
        """Return the instance profiles that contain the role; the stack itself makes none."""
        listed = iam.list_instance_profiles_for_role(RoleName=spec.id)["InstanceProfiles"]
        return [Blocker(f"the instance profile {one['InstanceProfileName']}", temporary=False) for one in listed]


def _strip(iam: Any, role: str) -> None:
    """Delete and detach all policies of a role; ignore those that are gone already."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        with _or_gone():
            iam.delete_role_policy(RoleName=role, PolicyName=name)
    for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        with _or_gone():
            iam.detach_role_policy(RoleName=role, PolicyArn=one["PolicyArn"])


@contextmanager
def _or_gone() -> Iterator[None]:
    """Ignore the error that a policy or role does not exist."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in GONE:
            raise


def _unknown(children: KnownChildren, inline: list[str], attached: list[JsonObject]) -> list[Unmanaged]:
    """Return the policies of a role that nobody declared."""
    names, arns = children.values("PolicyName"), children.values("PolicyArn")
    others = [name for name in inline if name not in names]
    strange = [one["PolicyArn"] for one in attached if one["PolicyArn"] not in arns]
    return [
        *(Unmanaged(f"inline policy {name}", {"PolicyName": name}, not_found_codes=GONE) for name in others),
        *(Unmanaged(f"attached policy {arn}", {"PolicyArn": arn}, not_found_codes=GONE) for arn in strange),
    ]


def _flat(role: JsonObject) -> JsonObject:
    """Return a role with its permissions boundary as an ARN and its tags as a mapping."""
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    return {**role, "PermissionsBoundary": boundary, "Tags": mapping(role.get("Tags") or [])}


def _is_wanted(role: JsonObject, spec: ResourceSpec) -> bool:
    """Return whether a role has the desired properties and tags."""
    props = {"PermissionsBoundary": "", **spec.props}
    return spec.tags.items() <= role["Tags"].items() and all(role.get(key) == props[key] for key in props)


class RolePolicy(ResourceType):
    """One inline policy of a role."""

    service, id_paths = "iam", ("RoleName", "PolicyName")
    ownership = ROLE_POLICY
    tagged = False
    unique_properties = ("RoleName", "PolicyName")
    lookup_properties = ("RoleName",)
    immutable = frozenset({"RoleName", "PolicyName"})
    exclusive = frozenset({"PolicyDocument"})
    replacing_calls = {"PutRolePolicy": ""}
    not_found_codes = GONE
    retryable_codes = {"create": BUSY, "update": BUSY, "delete": BUSY}
    iam_type, arn_properties = "role", ("{RoleName}",)
    operations = declare_operations(
        read="GetAccountSummary GetAccountAuthorizationDetails GetRolePolicy",
        create="PutRolePolicy",
        update="PutRolePolicy",
        delete="DeleteRolePolicy",
    )

    def read(self, iam: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the policy with GetRolePolicy.

        GetAccountAuthorizationDetails's answer about all roles is used instead if it shows the policy as
        desired.
        """
        role, name = spec.props["RoleName"], spec.props["PolicyName"]
        listed = (detail(iam, role) or {}).get("RolePolicyList", [])
        if {"PolicyName": name, "PolicyDocument": spec.props.get("PolicyDocument")} in listed:
            return {key: spec.props[key] for key in ("RoleName", "PolicyName", "PolicyDocument")}
        return dict(iam.get_role_policy(RoleName=role, PolicyName=name))

    def create(self, iam: Any, spec: ResourceSpec) -> JsonObject:
        """Create the policy with PutRolePolicy."""
        document = json.dumps(spec.props["PolicyDocument"])
        iam.put_role_policy(**{**spec.props, "PolicyDocument": document})
        return dict(spec.props)

    def update(self, iam: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the policy with PutRolePolicy."""
        self.create(iam, spec)

    def delete(self, iam: Any, spec: ResourceSpec) -> None:
        """Delete the policy with DeleteRolePolicy."""
        iam.delete_role_policy(RoleName=spec.props["RoleName"], PolicyName=spec.props["PolicyName"])


class ServiceLinkedRole(ResourceType):
    """The account's service-linked role of one AWS service, made before the service's first use needs it."""

    service, id_paths = "iam", "AWSServiceName"
    ownership = SERVICE_ROLE
    tagged, account_wide = False, True
    not_found_codes = GONE
    # `InvalidInput`: "... has been taken in this account" (cube-js/cube#11581).
    already_exists_codes = codes("InvalidInput", "EntityAlreadyExists")
    iam_type, arn_properties = "role", ("aws-service-role/{AWSServiceName}/*",)
    operations = declare_operations(read="GetAccountSummary ListRoles", create="CreateServiceLinkedRole")

    def read(self, iam: Any, spec: ResourceSpec) -> JsonObject | None:
        """Find the role below the path of service-linked roles; one ListRoles call serves all services."""
        name = spec.props["AWSServiceName"]
        roles = listed(iam, "/aws-service-role/")
        mine = (role for role in roles if role["Path"] == f"/aws-service-role/{name}/")
        return next(({**role, "AWSServiceName": name} for role in mine), None)

    def create(self, iam: Any, spec: ResourceSpec) -> JsonObject:
        """Create the role with CreateServiceLinkedRole."""
        iam.create_service_linked_role(**spec.props)
        return dict(spec.props)

    def delete(self, iam: Any, spec: ResourceSpec) -> None:
        """Do nothing: the role belongs to the account."""
