"""The role of a GitHub Actions pipeline: which runs may assume it, proved by a token that GitHub signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.errors import UsageError, quoted
from provisioner.permissions.statements import VERSION, Policy

# GitHub docs, "Configuring OpenID Connect in Amazon Web Services": issuer, audience, and the forms of `sub`.
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# If a repository was created or renamed since 2026-07-15, its subject has the ids of owner and repository
# (github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens).
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
# The commands that a pull request's run may use: nobody has reviewed its code yet.
PULL_REQUEST_COMMANDS = ("plan", "status", "doctor")
# The nouns in the names of the roles. A command with a role of its own does not replace the rights of the others.
_ROLE, _PULL_REQUEST_ROLE = "pipeline", "pr-pipeline"
_ROLES_BY_COMMAND = {"drift": "drift-pipeline", "teardown": "teardown-pipeline"}
ROLES = (_ROLE, _PULL_REQUEST_ROLE, *_ROLES_BY_COMMAND.values())
# The calls that create the role and its policies: `policy` grants them to an administrator only.
CALLS = {
    "iam": (
        *(
            f"{call} policy=ml-api-{noun}-{{suffix}}"
            for noun in (*(f"{role}-*" for role in ROLES), "boundary")
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
            for noun in ROLES
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
_WILDCARD = re.compile(r"[*?]|\$\{")


@dataclass(frozen=True)
class Pipeline:
    """The runs that may assume the role: those of one branch, of one environment, or of pull requests.

    Args:
        repository: The repository as owner/name, or as owner@ID/name@ID.
        branch: The branch whose runs may assume it.
        environment: The GitHub environment whose runs may assume it.
        audience: The audience (`aud`) that a token must have.
        pull_request: Whether the runs of pull requests may assume it.

    Raises:
        UsageError: The repository is malformed, or not exactly one of the three choices is given.

    """

    repository: str
    branch: str | None = None
    environment: str | None = None
    audience: str = AUDIENCE
    pull_request: bool = False

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise UsageError(
                f"{quoted(self.repository)} is no repository.", "Write it as --repo owner/name, or owner@ID/name@ID."
            )
        if [bool(self.branch), bool(self.environment), self.pull_request].count(True) != 1:
            raise UsageError(
                "Which runs of the repository may take the role?",
                "Give --branch, --environment or --pull-request, one of them.",
            )
        check_trust(self.trust_policy("aws", "*"))

    @property
    def subject(self) -> str:
        """The subject (`sub`) that GitHub puts into the tokens of these runs."""
        run = f"environment:{self.environment}" if self.environment else f"ref:refs/heads/{self.branch}"
        return f"repo:{self.repository}:{'pull_request' if self.pull_request else run}"

    def role_noun(self, command: str) -> str:
        """Return the noun in the name of the role that has the policy of a command."""
        return _PULL_REQUEST_ROLE if self.pull_request else _ROLES_BY_COMMAND.get(command, _ROLE)

    def check_command(self, command: str) -> None:
        """Check that these runs may have the policy of a command.

        Raises:
            UsageError: The runs are of pull requests, and the command could change something.

        """
        if self.pull_request and command not in PULL_REQUEST_COMMANDS:
            raise UsageError(
                "A pull request's code has been read by nobody yet: its runs may change nothing.",
                f"Add --for {PULL_REQUEST_COMMANDS[0]}.",
            )

    def trust_policy(self, partition: str, account: str) -> Policy:
        """Return the trust policy of the role, which lets only these runs assume it."""
        claims = {f"{ISSUER}:aud": self.audience, f"{ISSUER}:sub": self.subject}
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn(partition, account)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
        return {"Version": VERSION, "Statement": [statement]}


def provider_arn(partition: str, account: str) -> str:
    """Return the ARN of the account's one OIDC provider for GitHub's tokens."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{ISSUER}"


def check_trust(document: Mapping[str, Any]) -> None:
    """Check that a trust policy admits only the tokens of one subject and one audience.

    Raises:
        UsageError: The subject or the audience is missing, or has a wildcard.

    """
    for statement in document["Statement"]:
        claims = dict(_exact_claims(statement.get("Condition", {})))
        subject, audience = claims.get("sub", ""), claims.get("aud", "")
        if not subject or _WILDCARD.search(subject):
            raise UsageError(
                f"The subject {quoted(subject)} would let other runs take the role.",
                "Name one branch or one environment, without * and ?.",
            )
        if not audience or _WILDCARD.search(audience):
            raise UsageError(
                "The audience is missing: a token that was made for another service would do.",
                f"Leave --audience out: it is {AUDIENCE}.",
            )


def _exact_claims(condition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each claim that must equal one value, with the value; lists and patterns are left out."""
    for key, value in condition.get("StringEquals", {}).items():
        if isinstance(value, str):
            yield key.rsplit(":", 1)[-1], value
