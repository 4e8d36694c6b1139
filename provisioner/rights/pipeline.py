"""A pipeline's role: who may assume it, by a token that GitHub signs for one sort of run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.errors import UsageError
from provisioner.rights.statements import VERSION, Policy

# GitHub docs, "Configuring OpenID Connect in Amazon Web Services": issuer, audience, and the forms of `sub`.
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# Of repositories made or renamed since 2026-07-15 the subject bears the ids of owner and repository
# (github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens).
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
# What a pull request's run may do: its code has been read by nobody yet.
HARMLESS = ("plan", "status", "doctor")
# What making it calls: `policy` grants it, to an administrator alone.
CALLS = {
    "iam": (
        *(
            f"{call} policy=ml-api-{noun}-{{suffix}}"
            for noun in ("pipeline-*", "pr-pipeline-*", "boundary")
            for call in (
                "CreatePolicy",
                "CreatePolicyVersion",
                "DeletePolicy",
                "DeletePolicyVersion",
                "GetPolicy",
                "GetPolicyVersion",
                "ListPolicyVersions",
                "TagPolicy",
            )
        ),
        *(
            f"{call} role=ml-api-{noun}-{{suffix}}"
            for noun in ("pipeline", "pr-pipeline")
            for call in (
                "AttachRolePolicy",
                "CreateRole",
                "DetachRolePolicy",
                "GetRole",
                "ListAttachedRolePolicies",
                "TagRole",
                "UpdateAssumeRolePolicy",
                "UpdateRole",
            )
        ),
        f"CreateOpenIDConnectProvider oidc-provider={ISSUER}",
        f"GetOpenIDConnectProvider oidc-provider={ISSUER}",
        "ListOpenIDConnectProviders",
    )
}
_WILD = re.compile(r"[*?]|\$\{")


@dataclass(frozen=True)
class Pipeline:
    """A branch, an environment or the pull requests of a repository; UsageError where that is left open."""

    repository: str
    branch: str | None = None
    environment: str | None = None
    audience: str = AUDIENCE
    pull_request: bool = False

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise UsageError(
                f"{self.repository!r} is no repository.",
                "Write it as --repo owner/name, or owner@ID/name@ID.",
            )
        if [bool(self.branch), bool(self.environment), self.pull_request].count(True) != 1:
            raise UsageError(
                "Which runs of the repository may take the role?",
                "Give --branch, --environment or --pull-request, one of them.",
            )
        check_trust(self.trust("aws", "*"))

    @property
    def subject(self) -> str:
        """How GitHub names such a run."""
        what = f"environment:{self.environment}" if self.environment else f"ref:refs/heads/{self.branch}"
        return f"repo:{self.repository}:{'pull_request' if self.pull_request else what}"

    @property
    def noun(self) -> str:
        """What the role is called after."""
        return "pr-pipeline" if self.pull_request else "pipeline"

    def check_purpose(self, purpose: str) -> None:
        """UsageError where a pull request's run could change something."""
        if self.pull_request and purpose not in HARMLESS:
            raise UsageError(
                "A pull request's code has been read by nobody yet: its runs may change nothing.",
                f"Add --for {HARMLESS[0]}.",
            )

    def trust(self, partition: str, account: str) -> Policy:
        """Who may assume the role."""
        wanted = {f"{ISSUER}:aud": self.audience, f"{ISSUER}:sub": self.subject}
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn(partition, account)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": wanted},
        }
        return {"Version": VERSION, "Statement": [statement]}


def provider_arn(partition: str, account: str) -> str:
    """The account's one provider for GitHub's tokens."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{ISSUER}"


def check_trust(document: Mapping[str, Any]) -> None:
    """UsageError for a trust that others than one run of one repository could meet."""
    for statement in document["Statement"]:
        told = dict(_exact(statement.get("Condition", {})))
        subject, audience = told.get("sub", ""), told.get("aud", "")
        if not subject or _WILD.search(subject):
            raise UsageError(
                f"The subject {subject or 'is missing'!r} would let other runs take the role.",
                "Name one branch or one environment, without * and ?.",
            )
        if not audience or _WILD.search(audience):
            raise UsageError(
                "The audience is missing: a token that was made for another service would do.",
                f"Leave --audience out: it is {AUDIENCE}.",
            )


def _exact(condition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The claims of which one value is wanted, and no pattern."""
    for key, value in condition.get("StringEquals", {}).items():
        if isinstance(value, str):
            yield key.rsplit(":", 1)[-1], value
