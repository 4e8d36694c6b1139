"""`bootstrap`: the role that a CI pipeline assumes by OIDC; printed, and created on request."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from provisioner.commands.account_resources import (
    ALREADY_EXISTS,
    call_with_retry,
    delete_until_gone,
    ensure_resource,
    read_resource,
)
from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.operator_policy import NO_ACCOUNT, PolicyScope, policies_for
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, Unknown, resolve
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import Blocked
from provisioner.names import has_stack_tags, name_of, owner_tags
from provisioner.permissions.pipeline import ISSUER, Pipeline, check_trust, provider_arn
from provisioner.permissions.statements import Policy
from provisioner.resources.iam import NOT_FOUND, Role
from provisioner.resources.managed_policy import ManagedPolicy
from provisioner.service_clients import IAM
from provisioner.session import Session
from provisioner.terminal.console import Console

# The commands whose policies allow roles to be created.
_ROLE_CREATING_COMMANDS = ("apply", "all")


@dataclass(frozen=True)
class PipelineRole:
    """The desired role and its policies."""

    scope: PolicyScope
    pipeline: Pipeline
    purpose: str

    @property
    def role_noun(self) -> str:
        """The noun in the names of the role and its policies."""
        return self.pipeline.role_noun(self.purpose)

    @property
    def role(self) -> str:
        """The name of the role."""
        return name_of(self.role_noun, self.scope.suffix)

    def policies(self) -> dict[str, Policy]:
        """Return the role's policies by name."""
        policies = policies_for(self.scope, self.purpose)
        noun, suffix = self.role_noun, self.scope.suffix
        return {name_of(noun, suffix, str(number)): policy for number, policy in enumerate(policies)}

    def boundaries(self) -> list[Resource]:
        """Return the stack's permissions boundary, if the policies allow roles to be created.

        It is created here, so that no pipeline decides what the boundary allows.
        """
        if self.purpose not in _ROLE_CREATING_COMMANDS:
            return []
        return [resource for resource in self.scope.grants().stack if resource.type.limits_permissions]

    def resolved_properties(self, resource: Resource) -> JsonObject:
        """Return the desired properties of a resource; none of them depends on AWS."""
        return dict(resolve(resource.props, Unknown))

    def documents(self) -> dict[str, Policy]:
        """Return the documents of the role, the boundary and the policies by name."""
        boundaries = {
            resource.aws_name: self.resolved_properties(resource)["PolicyDocument"] for resource in self.boundaries()
        }
        return {self.role: self.trust(), **boundaries, **self.policies()}

    def trust(self) -> Policy:
        """Return the trust policy, which says who may assume the role."""
        grants = self.scope.grants()
        return self.pipeline.trust_policy(grants.partition, grants.account)


def print_pipeline_role(console: Console, pipeline_role: PipelineRole) -> int:
    """Print the role and its policies; nothing is created."""
    _print_documents(console, pipeline_role, made=False)
    if pipeline_role.scope.grants().account == NO_ACCOUNT:
        console.note(f"{NO_ACCOUNT} stands for the account: give it with --expect-account.")
    console.note("Nothing was made: --yes makes it, with the credentials of an administrator.")
    return 0


def create_pipeline_role(console: Console, pipeline_role: PipelineRole, session: Session) -> int:
    """Create what is missing of the boundary, the provider, the policies and the role; then print them.

    Each resource is looked up before it is created: the same command goes on after an interruption.
    """
    completion = CompletionLine(console, session, "Bootstrap")
    scope = replace(pipeline_role.scope, account=session.location.account, region=session.location.region)
    pipeline_role = replace(pipeline_role, scope=scope)
    check_trust(pipeline_role.trust())
    with user_errors(f"making the role {pipeline_role.role}"):
        for resource in pipeline_role.boundaries():
            ensure_resource(session, resource.type, _boundary_spec(pipeline_role, session, resource))
        _ensure_oidc_provider(session, pipeline_role.pipeline)
        arns = [
            ensure_resource(session, ManagedPolicy(), _policy_spec(pipeline_role, session, name, document))
            for name, document in pipeline_role.policies().items()
        ]
        ensure_resource(session, Role(), _role_spec(pipeline_role))
        _attach_exactly(session, pipeline_role, arns)
    _print_documents(console, pipeline_role, made=True)
    completion.print(f"the role {pipeline_role.role} has {len(arns)} {'policy' if len(arns) == 1 else 'policies'}")
    return 0


def _print_documents(console: Console, pipeline_role: PipelineRole, *, made: bool) -> None:
    """Print the documents by name, or all as one JSON record."""
    documents = pipeline_role.documents()
    if console.as_json:
        trust, policies = documents.pop(pipeline_role.role), pipeline_role.policies()
        boundaries = {name: document for name, document in documents.items() if name not in policies}
        record = {"trust": trust, "policies": policies, "boundaries": boundaries}
        console.record("bootstrap", role=pipeline_role.role, made=made, **record)
        return
    for name, document in documents.items():
        console.data(f"{name}:")
        console.data(json.dumps(document, indent=2))


def _ensure_oidc_provider(session: Session, pipeline: Pipeline) -> None:
    """Use the account's OIDC provider for GitHub, or create it if it is missing; never delete it.

    Raises:
        Blocked: The existing provider does not take the pipeline's audience.

    """
    iam, location = session.clients.client(IAM), session.location
    arn = provider_arn(location.partition, location.account)

    def known() -> list[str]:
        listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        if arn not in {one["Arn"] for one in listed}:
            iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[pipeline.audience])
        return list(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"])

    if pipeline.audience not in call_with_retry(session, known, ALREADY_EXISTS | NOT_FOUND):
        raise Blocked(
            f"The account's provider {arn} does not take the audience {pipeline.audience}.",
            "It is the account's and stays as it is: `aws iam add-client-id-to-open-id-connect-provider "
            f"--open-id-connect-provider-arn {arn} --client-id {pipeline.audience}` adds it.",
        )


def _role_spec(pipeline_role: PipelineRole) -> ResourceSpec:
    """Return the desired role."""
    props = {"AssumeRolePolicyDocument": pipeline_role.trust(), "Description": "A pipeline that runs ml-api"}
    return _tagged_spec(pipeline_role, pipeline_role.role, RoleName=pipeline_role.role, **props)


def _policy_spec(pipeline_role: PipelineRole, session: Session, name: str, document: Policy) -> ResourceSpec:
    """Return one of the role's desired policies."""
    spec = _tagged_spec(pipeline_role, name, PolicyName=name, PolicyDocument=document)
    return replace(spec, id=_policy_arn(session, name))


def _boundary_spec(pipeline_role: PipelineRole, session: Session, resource: Resource) -> ResourceSpec:
    """Return the boundary exactly as `apply` would create it, so that `apply` adopts it."""
    props = pipeline_role.resolved_properties(resource)
    return ResourceSpec(
        resource.logical_id,
        resource.aws_name,
        pipeline_role.scope.suffix,
        props,
        resource.tags,
        _policy_arn(session, resource.aws_name),
    )


def _policy_arn(session: Session, name: str) -> str:
    """Return the ARN of a policy of this account."""
    return f"arn:{session.location.partition}:iam::{session.location.account}:policy/{name}"


def _tagged_spec(pipeline_role: PipelineRole, name: str, **props: Any) -> ResourceSpec:
    """Return a desired resource with the stack's tags."""
    return ResourceSpec("pipeline", name, pipeline_role.scope.suffix, props, owner_tags(pipeline_role.scope.suffix))


def _attach_exactly(session: Session, pipeline_role: PipelineRole, arns: Iterable[str]) -> None:
    """Attach exactly these policies; detach others, and delete those of them that are our own."""
    iam, desired = session.clients.client(IAM), list(arns)
    role = pipeline_role.role

    def attached() -> set[str]:
        now = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {one["PolicyArn"] for one in now}

    attached_arns = call_with_retry(session, attached, NOT_FOUND)
    for arn in (policy for policy in desired if policy not in attached_arns):
        call_with_retry(session, partial(iam.attach_role_policy, RoleName=role, PolicyArn=arn), NOT_FOUND)
    for arn in sorted(attached_arns - set(desired)):
        delete_until_gone(session, partial(iam.detach_role_policy, RoleName=role, PolicyArn=arn), NOT_FOUND)
        _delete_own_policy(session, pipeline_role.scope.suffix, arn)


def _delete_own_policy(session: Session, suffix: str, arn: str) -> None:
    """Delete a policy of an earlier bootstrap; somebody else's policy stays."""
    name = arn.rpartition("/")[2]
    spec = ResourceSpec("pipeline", name, suffix, {"PolicyName": name}, id=arn)
    iam, resource_type = session.clients.client(IAM), ManagedPolicy()
    if ":aws:policy/" not in arn and has_stack_tags(
        (read_resource(iam, resource_type, spec) or {}).get("Tags", {}), suffix
    ):
        delete_until_gone(session, partial(resource_type.delete, iam, spec), NOT_FOUND)
