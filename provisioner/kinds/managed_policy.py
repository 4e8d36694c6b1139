"""IAM: customer managed policies of the stack, such as the permissions boundary of its roles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.traits import calling, codes
from provisioner.kinds.iam import BUSY, GONE
from provisioner.kinds.members.iam import MANAGED_POLICY
from provisioner.kinds.tags import mapping, pairs
from provisioner.names import PROJECT

# IAM and STS quotas: how many versions one managed policy can have.
_MOST_VERSIONS = 5


class ManagedPolicy(Kind):
    """A customer managed policy; its document is that of the default version."""

    service, key, named = "iam", "Arn", "PolicyName"
    members = MANAGED_POLICY
    id_is_name = True
    fixed = frozenset({"PolicyName", "Path", "Description"})
    whole = frozenset({"PolicyDocument"})
    replaces = {"CreatePolicyVersion": ""}
    absent = GONE
    duplicate = codes("EntityAlreadyExists")
    transient = {"create": BUSY, "update": BUSY, "delete": BUSY | codes("DeleteConflict")}
    unheld = BUSY
    resource, fills = "policy", ("{PolicyName}",)
    calls = calling(
        read="ListPolicies GetPolicy GetPolicyVersion",
        create="CreatePolicy",
        update="CreatePolicyVersion DeletePolicyVersion ListPolicyVersions",
        retag="TagPolicy UntagPolicy",
        delete="DeletePolicy DeletePolicyVersion ListPolicyVersions",
        holders="ListEntitiesForPolicy",
    )

    def read(self, iam: Any, spec: ResourceSpec) -> Doc | None:
        """Read the policy and its default version; find it by its name where its ARN is not known yet."""
        arn = spec.id or self._named(iam, spec.props["PolicyName"])
        if not arn:
            return None
        doc = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=doc["DefaultVersionId"])["PolicyVersion"]
        return {**doc, "PolicyDocument": version["Document"], "Tags": mapping(doc.get("Tags") or [])}

    def _named(self, iam: Any, name: str) -> str:
        listed = iam.list_policies(Scope="Local")["Policies"]
        return next((str(one["Arn"]) for one in listed if one["PolicyName"] == name), "")

    def create(self, iam: Any, spec: ResourceSpec) -> Doc:
        """Create the policy with CreatePolicy."""
        document = json.dumps(spec.props["PolicyDocument"])
        return dict(iam.create_policy(**{**spec.props, "PolicyDocument": document}, Tags=pairs(spec.tags))["Policy"])

    def update(self, iam: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Create a new default version; first delete the oldest version if there is no room for another."""
        old = self._old_versions(iam, spec)
        if len(old) >= _MOST_VERSIONS - 1:
            iam.delete_policy_version(PolicyArn=spec.id, VersionId=old[-1])
        document = json.dumps(spec.props["PolicyDocument"])
        iam.create_policy_version(PolicyArn=spec.id, PolicyDocument=document, SetAsDefault=True)

    def _old_versions(self, iam: Any, spec: ResourceSpec) -> list[str]:
        """Return the ids of the versions that are not the default one, newest first."""
        listed = iam.list_policy_versions(PolicyArn=spec.id)["Versions"]
        old = [one for one in listed if not one["IsDefaultVersion"]]
        return [str(one["VersionId"]) for one in sorted(old, key=lambda one: one["CreateDate"], reverse=True)]

    def retag(self, iam: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with UntagPolicy, then TagPolicy."""
        # IAM treats the tags `team` and `Team` as one, so the tag that is set last remains.
        if gone := list(drop):
            iam.untag_policy(PolicyArn=spec.id, TagKeys=gone)
        if put:
            iam.tag_policy(PolicyArn=spec.id, Tags=pairs(put))

    def delete(self, iam: Any, spec: ResourceSpec) -> None:
        """Delete the versions that are not the default one, then the policy."""
        for version in self._old_versions(iam, spec):
            iam.delete_policy_version(PolicyArn=spec.id, VersionId=version)
        iam.delete_policy(PolicyArn=spec.id)

    def holders(self, iam: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the groups, users and roles that the policy is attached to, or is the boundary of.

        Roles of this stack are temporary blockers: they are deleted before the policy.
        """
        told = iam.list_entities_for_policy(PolicyArn=spec.id)
        sorts = (("group", "Group"), ("user", "User"), ("role", "Role"))
        return [
            Holder(f"the {sort} {one[f'{key}Name']}", _is_ours(one[f"{key}Name"], spec.suffix))
            for sort, key in sorts
            for one in told[f"Policy{key}s"]
        ]


def _is_ours(name: str, suffix: str) -> bool:
    return name.startswith(f"{PROJECT}-") and name.endswith(f"-{suffix}")


class Boundary(ManagedPolicy):
    """The permissions boundary of the stack's roles: no role may do more, whatever its own policies say."""

    noun = "boundary"
    bounds = True
