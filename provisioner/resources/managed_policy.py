"""IAM: customer managed policies of the stack, such as the permissions boundary of its roles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import PROJECT
from provisioner.resources.field_owners.iam_and_logs import MANAGED_POLICY
from provisioner.resources.iam import BUSY, NOT_FOUND
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import IAM

# IAM and STS quotas: how many versions one managed policy can have.
_MAX_VERSIONS = 5


class ManagedPolicy(ResourceType):
    """A customer managed policy; its document is that of the default version."""

    service, id_paths, name_property = "iam", "Arn", "PolicyName"
    max_name_length = 128
    pricing = FREE
    ownership = MANAGED_POLICY
    id_is_name = True
    immutable = frozenset({"PolicyName", "Path", "Description"})
    exclusive = frozenset({"PolicyDocument"})
    replacing_calls = {"CreatePolicyVersion": ""}
    not_found_codes = NOT_FOUND
    already_exists_codes = codes("EntityAlreadyExists")
    retryable_codes = {"create": BUSY, "update": BUSY, "delete": BUSY | codes("DeleteConflict")}
    unblocked_codes = BUSY
    iam_type, arn_properties = "policy", ("{PolicyName}",)
    operations = declare_operations(
        read="ListPolicies GetPolicy GetPolicyVersion",
        create="CreatePolicy",
        update="CreatePolicyVersion DeletePolicyVersion ListPolicyVersions",
        retag="TagPolicy UntagPolicy",
        delete="DeletePolicy DeletePolicyVersion ListPolicyVersions",
        blockers="ListEntitiesForPolicy",
    )

    def read(self, iam: IAM, spec: ResourceSpec) -> JsonObject | None:
        """Read the policy and its default version; find it by its name where its ARN is not known yet."""
        arn = spec.id or self._find_arn(iam, spec.props["PolicyName"])
        if not arn:
            return None
        actual = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=actual["DefaultVersionId"])["PolicyVersion"]
        return {**actual, "PolicyDocument": version["Document"], "Tags": mapping(actual.get("Tags") or [])}

    def _find_arn(self, iam: IAM, name: str) -> str:
        """Return the ARN of the policy with this name; "" if there is none."""
        policies = iam.list_policies(Scope="Local")["Policies"]
        return next((str(policy["Arn"]) for policy in policies if policy["PolicyName"] == name), "")

    def create(self, iam: IAM, spec: ResourceSpec) -> JsonObject:
        """Create the policy with CreatePolicy."""
        document = json.dumps(spec.props["PolicyDocument"])
        return dict(iam.create_policy(**{**spec.props, "PolicyDocument": document}, Tags=pairs(spec.tags))["Policy"])

    def update(self, iam: IAM, spec: ResourceSpec, changed: JsonObject) -> None:
        """Create a new default version; first delete the oldest version if there is no room for another."""
        old = self._old_versions(iam, spec)
        if len(old) >= _MAX_VERSIONS - 1:
            iam.delete_policy_version(PolicyArn=spec.id, VersionId=old[-1])
        document = json.dumps(spec.props["PolicyDocument"])
        iam.create_policy_version(PolicyArn=spec.id, PolicyDocument=document, SetAsDefault=True)

    def _old_versions(self, iam: IAM, spec: ResourceSpec) -> list[str]:
        """Return the ids of the versions that are not the default one, newest first."""
        versions = iam.list_policy_versions(PolicyArn=spec.id)["Versions"]
        old = [version for version in versions if not version["IsDefaultVersion"]]
        return [
            str(version["VersionId"])
            for version in sorted(old, key=lambda version: version["CreateDate"], reverse=True)
        ]

    def retag(self, iam: IAM, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with UntagPolicy, then TagPolicy."""
        # IAM treats the tags `team` and `Team` as one, so the tag that is set last remains.
        if removed_keys := list(drop):
            iam.untag_policy(PolicyArn=spec.id, TagKeys=removed_keys)
        if put:
            iam.tag_policy(PolicyArn=spec.id, Tags=pairs(put))

    def delete(self, iam: IAM, spec: ResourceSpec) -> None:
        """Delete the versions that are not the default one, then the policy."""
        for version in self._old_versions(iam, spec):
            iam.delete_policy_version(PolicyArn=spec.id, VersionId=version)
        iam.delete_policy(PolicyArn=spec.id)

    def blockers(self, iam: IAM, spec: ResourceSpec) -> list[Blocker]:
        """Return the groups, users and roles that the policy is attached to, or is the boundary of.

        Roles of this stack are temporary blockers: they are deleted before the policy.
        """
        reply: JsonObject = iam.list_entities_for_policy(PolicyArn=spec.id)
        entity_types = (("group", "Group"), ("user", "User"), ("role", "Role"))
        return [
            Blocker(f"the {word} {entity[f'{key}Name']}", _is_role_of_stack(entity[f"{key}Name"], spec.suffix))
            for word, key in entity_types
            for entity in reply[f"Policy{key}s"]
        ]


def _is_role_of_stack(name: str, suffix: str) -> bool:
    """Return whether a role has a name that this stack gives."""
    return name.startswith(f"{PROJECT}-") and name.endswith(f"-{suffix}")


class Boundary(ManagedPolicy):
    """The permissions boundary of the stack's roles: no role may do more, whatever its own policies say."""

    noun = "boundary"
    limits_permissions = True
