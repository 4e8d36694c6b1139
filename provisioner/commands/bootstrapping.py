"""`bootstrap`: the role that a CI pipeline assumes by OIDC; printed, and made where that is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.commands.permitting import NO_ACCOUNT, Whose, policies_for
from provisioner.engine.compare import differences
from provisioner.engine.explain import explained
from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.waits import again
from provisioner.errors import Blocked
from provisioner.kinds.iam import GONE, Role
from provisioner.kinds.managed_policy import ManagedPolicy
from provisioner.names import bears, name_of, owner_tags
from provisioner.rights.pipeline import ISSUER, Pipeline, check_trust, provider_arn
from provisioner.rights.statements import Policy
from provisioner.session import Session
from provisioner.terminal.say import Say

# Seconds for which a role or a policy that was just made may not be found.
_HIDING = 60.0


@dataclass(frozen=True)
class Wanted:
    """The role and its policies, as they are to be."""

    whose: Whose
    pipeline: Pipeline
    purpose: str

    @property
    def role(self) -> str:
        """The role's name."""
        return name_of(self.pipeline.noun, self.whose.suffix)

    def policies(self) -> dict[str, Policy]:
        """Its policies by name."""
        made = policies_for(self.whose, self.purpose)
        noun, suffix = self.pipeline.noun, self.whose.suffix
        return {name_of(noun, suffix, str(n)): one for n, one in enumerate(made)}

    def trust(self) -> Policy:
        """Who may assume it."""
        ground = self.whose.ground()
        return self.pipeline.trust(ground.partition, ground.account)


def show(say: Say, wanted: Wanted) -> int:
    """Print the role; nothing is made."""
    _print(say, wanted, made=False)
    if wanted.whose.ground().account == NO_ACCOUNT:
        say.note(f"{NO_ACCOUNT} stands for the account: give it with --expect-account.")
    say.note("Nothing was made: --yes makes it, with the credentials of an administrator.")
    return 0


def make(say: Say, wanted: Wanted, session: Session) -> int:
    """Make the role, its policies and, where the account has none, the provider; then print them."""
    wanted = replace(wanted, whose=replace(wanted.whose, account=session.place.account))
    with explained(f"making the role {wanted.role}"):
        iam = session.clients.client("iam")
        _provider(iam, session, wanted.pipeline)
        arns = [_policy(iam, wanted, name, one) for name, one in wanted.policies().items()]
        _ensure(iam, Role(), _item(wanted, wanted.role, RoleName=wanted.role, **_role(wanted)))
        # IAM user guide, "Changes that I make are not always immediately visible": a new role may hide.
        again(
            lambda: _attach(iam, wanted, arns),
            when=lambda error: code_of(error) in GONE,
            clock=session.clock,
            patience=_HIDING,
        )
    _print(say, wanted, made=True)
    return 0


def _print(say: Say, wanted: Wanted, *, made: bool) -> None:
    trust, policies = wanted.trust(), wanted.policies()
    if say.as_json:
        say.record("bootstrap", role=wanted.role, made=made, trust=trust, policies=policies)
        return
    for name, document in {wanted.role: trust, **policies}.items():
        say.data(f"{name}:")
        say.data(json.dumps(document, indent=2))


def _role(wanted: Wanted) -> Doc:
    trust = wanted.trust()
    check_trust(trust)
    return {"AssumeRolePolicyDocument": trust, "Description": "A pipeline that runs ml-api"}


def _provider(iam: Any, session: Session, pipeline: Pipeline) -> None:
    """The account's provider for GitHub: used where it is, made where it is missing, never deleted."""
    place = session.place
    arn = provider_arn(place.partition, place.account)
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    if arn not in {one["Arn"] for one in listed}:
        iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[pipeline.audience])
        return
    known = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]
    if pipeline.audience not in known:
        raise Blocked(
            f"The account's provider {arn} does not take the audience {pipeline.audience}.",
            "It is the account's and stays as it is: `aws iam add-client-id-to-open-id-connect-provider "
            f"--open-id-connect-provider-arn {arn} --client-id {pipeline.audience}` adds it.",
        )


def _policy(iam: Any, wanted: Wanted, name: str, document: Policy) -> str:
    return _ensure(iam, ManagedPolicy(), _item(wanted, name, PolicyName=name, PolicyDocument=document))


def _item(wanted: Wanted, name: str, **props: Any) -> Item:
    return Item("pipeline", name, wanted.whose.suffix, props, owner_tags(wanted.whose.suffix))


def _ensure(iam: Any, kind: Kind, it: Item) -> str:
    """Make it, or bring ours to what is wanted; Blocked where it is somebody else's. Its id."""
    doc = _read(iam, kind, it)
    if doc is None:
        return kind.id_of(kind.create(iam, it))
    if not bears(doc["Tags"], it.suffix):
        raise Blocked(f"{it.name} stands, and is not of this stack.", "Rename it, or take another suffix.")
    changed = {one.top: it.props[one.top] for one in differences(kind, it.props, doc, None)}
    if changed:
        kind.update(iam, replace(it, id=kind.id_of(doc)), changed)
    return kind.id_of(doc)


def _read(iam: Any, kind: Kind, it: Item) -> Doc | None:
    try:
        return kind.read(iam, it)
    except ClientError as error:
        if code_of(error) in kind.absent:
            return None
        raise


def _attach(iam: Any, wanted: Wanted, arns: Iterable[str]) -> None:
    """Exactly these; of what an earlier one attached, the rest goes."""
    now = {one["PolicyArn"] for one in _attached(iam, wanted.role)}
    for arn in arns:
        if arn not in now:
            iam.attach_role_policy(RoleName=wanted.role, PolicyArn=arn)
    for arn in now - set(arns):
        iam.detach_role_policy(RoleName=wanted.role, PolicyArn=arn)


def _attached(iam: Any, role: str) -> list[Doc]:
    return list(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"])
