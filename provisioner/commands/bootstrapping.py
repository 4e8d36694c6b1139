"""`bootstrap`: the role that a CI pipeline assumes by OIDC; printed, and created on request."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from provisioner.commands.ensuring import NEW, end, ensure, patiently, seen
from provisioner.commands.permitting import NO_ACCOUNT, Whose, policies_for
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, Unknown, resolve
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import Blocked
from provisioner.names import bears, name_of, owner_tags
from provisioner.resources.iam import GONE, Role
from provisioner.resources.managed_policy import ManagedPolicy
from provisioner.rights.pipeline import ISSUER, Pipeline, check_trust, provider_arn
from provisioner.rights.statements import Policy
from provisioner.session import Session
from provisioner.terminal.say import Say

# The commands whose policies allow roles to be created.
_MAKING = ("apply", "all")


@dataclass(frozen=True)
class Wanted:
    """The desired role and its policies."""

    whose: Whose
    pipeline: Pipeline
    purpose: str

    @property
    def role(self) -> str:
        """The name of the role."""
        return name_of(self.pipeline.noun, self.whose.suffix)

    def policies(self) -> dict[str, Policy]:
        """Return the role's policies by name."""
        made = policies_for(self.whose, self.purpose)
        noun, suffix = self.pipeline.noun, self.whose.suffix
        return {name_of(noun, suffix, str(n)): one for n, one in enumerate(made)}

    def boundaries(self) -> list[Resource]:
        """Return the stack's permissions boundary, if the policies allow roles to be created.

        It is created here, so that no pipeline decides what the boundary allows.
        """
        if self.purpose not in _MAKING:
            return []
        return [resource for resource in self.whose.ground().stack if resource.type.limits_permissions]

    def resolved(self, resource: Resource) -> JsonObject:
        """Return the desired properties of a resource; none of them depends on AWS."""
        return dict(resolve(resource.props, Unknown))

    def documents(self) -> dict[str, Policy]:
        """Return the documents of the role, the boundary and the policies by name."""
        capped = {resource.aws_name: self.resolved(resource)["PolicyDocument"] for resource in self.boundaries()}
        return {self.role: self.trust(), **capped, **self.policies()}

    def trust(self) -> Policy:
        """Return the trust policy, which says who may assume the role."""
        ground = self.whose.ground()
        return self.pipeline.trust(ground.partition, ground.account)


def show(say: Say, wanted: Wanted) -> int:
    """Print the role and its policies; nothing is created."""
    _print(say, wanted, made=False)
    if wanted.whose.ground().account == NO_ACCOUNT:
        say.note(f"{NO_ACCOUNT} stands for the account: give it with --expect-account.")
    say.note("Nothing was made: --yes makes it, with the credentials of an administrator.")
    return 0


def make(say: Say, wanted: Wanted, session: Session) -> int:
    """Create what is missing of the boundary, the provider, the policies and the role; then print them.

    Each resource is looked up before it is created: the same command goes on after an interruption.
    """
    where = replace(wanted.whose, account=session.place.account, region=session.place.region)
    wanted = replace(wanted, whose=where)
    check_trust(wanted.trust())
    with user_errors(f"making the role {wanted.role}"):
        for resource in wanted.boundaries():
            ensure(session, resource.type, _boundary(wanted, session, resource))
        _provider(session, wanted.pipeline)
        arns = [
            ensure(session, ManagedPolicy(), _policy(wanted, session, name, document))
            for name, document in wanted.policies().items()
        ]
        ensure(session, Role(), _role(wanted))
        _attach(session, wanted, arns)
    _print(say, wanted, made=True)
    return 0


def _print(say: Say, wanted: Wanted, *, made: bool) -> None:
    """Print the documents by name, or all as one JSON record."""
    documents = wanted.documents()
    if say.as_json:
        trust, policies = documents.pop(wanted.role), wanted.policies()
        boundaries = {name: one for name, one in documents.items() if name not in policies}
        told = {"trust": trust, "policies": policies, "boundaries": boundaries}
        say.record("bootstrap", role=wanted.role, made=made, **told)
        return
    for name, document in documents.items():
        say.data(f"{name}:")
        say.data(json.dumps(document, indent=2))


def _provider(session: Session, pipeline: Pipeline) -> None:
    """Use the account's OIDC provider for GitHub, or create it if it is missing; never delete it.

    Raises:
        Blocked: The existing provider does not take the pipeline's audience.

    """
    iam, location = session.clients.client("iam"), session.place
    arn = provider_arn(location.partition, location.account)

    def known() -> list[str]:
        listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        if arn not in {one["Arn"] for one in listed}:
            iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[pipeline.audience])
        return list(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"])

    if pipeline.audience not in patiently(session, known, NEW | GONE):
        raise Blocked(
            f"The account's provider {arn} does not take the audience {pipeline.audience}.",
            "It is the account's and stays as it is: `aws iam add-client-id-to-open-id-connect-provider "
            f"--open-id-connect-provider-arn {arn} --client-id {pipeline.audience}` adds it.",
        )


def _role(wanted: Wanted) -> ResourceSpec:
    """Return the desired role."""
    props = {"AssumeRolePolicyDocument": wanted.trust(), "Description": "A pipeline that runs ml-api"}
    return _item(wanted, wanted.role, RoleName=wanted.role, **props)


def _policy(wanted: Wanted, session: Session, name: str, document: Policy) -> ResourceSpec:
    """Return one of the role's desired policies."""
    spec = _item(wanted, name, PolicyName=name, PolicyDocument=document)
    return replace(spec, id=_policy_arn(session, name))


def _boundary(wanted: Wanted, session: Session, resource: Resource) -> ResourceSpec:
    """Return the boundary exactly as `apply` would create it, so that `apply` adopts it."""
    props = wanted.resolved(resource)
    return ResourceSpec(
        resource.logical_id,
        resource.aws_name,
        wanted.whose.suffix,
        props,
        resource.tags,
        _policy_arn(session, resource.aws_name),
    )


def _policy_arn(session: Session, name: str) -> str:
    """Return the ARN of a policy of this account."""
    return f"arn:{session.place.partition}:iam::{session.place.account}:policy/{name}"


def _item(wanted: Wanted, name: str, **props: Any) -> ResourceSpec:
    """Return a desired resource with the stack's tags."""
    return ResourceSpec("pipeline", name, wanted.whose.suffix, props, owner_tags(wanted.whose.suffix))


def _attach(session: Session, wanted: Wanted, arns: Iterable[str]) -> None:
    """Attach exactly these policies; detach others, and delete those of them that are our own."""
    iam, listed = session.clients.client("iam"), list(arns)
    role = wanted.role

    def attached() -> set[str]:
        now = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {one["PolicyArn"] for one in now}

    now = patiently(session, attached, GONE)
    for arn in (one for one in listed if one not in now):
        patiently(session, partial(iam.attach_role_policy, RoleName=role, PolicyArn=arn), GONE)
    for arn in sorted(now - set(listed)):
        end(session, partial(iam.detach_role_policy, RoleName=role, PolicyArn=arn), GONE)
        _drop(session, wanted.whose.suffix, arn)


def _drop(session: Session, suffix: str, arn: str) -> None:
    """Delete a policy of an earlier bootstrap; somebody else's policy stays."""
    name = arn.rpartition("/")[2]
    spec = ResourceSpec("pipeline", name, suffix, {"PolicyName": name}, id=arn)
    iam, resource_type = session.clients.client("iam"), ManagedPolicy()
    if ":aws:policy/" not in arn and bears((seen(iam, resource_type, spec) or {}).get("Tags", {}), suffix):
        end(session, partial(resource_type.delete, iam, spec), GONE)
