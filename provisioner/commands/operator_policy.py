"""`policy`: the permissions an operator of a stack needs, from settings and state alone; makes no call."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from provisioner.aws.regions import choose_region
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import Ref
from provisioner.names import tags_of
from provisioner.permissions.commands import COMMAND_PERMISSIONS, grants_for, state_grants
from provisioner.permissions.grants import Grants
from provisioner.permissions.statements import (
    Policy,
    deny_statements,
    protect_foreign_tags,
    split_into_policies,
    statements,
)
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.secretsmanager import INPUT_VARIABLE
from provisioner.settings import Settings
from provisioner.stack import build, build_all
from provisioner.steps.lookups import StackLookups, offline_lookups
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace
from state.stack_state import StackState

StackBuilder = Callable[[Settings, str, str, StackLookups], Stack]
# Stands for an account that nobody has named: no account accepts a policy with it.
NO_ACCOUNT = "ACCOUNT_ID"
# The commands that may change roles.
_ROLE_CHANGING_COMMANDS = ("apply", "teardown", "all")


@dataclass(frozen=True)
class PolicyScope:
    """The stack whose policies are asked for, as far as the command line tells it."""

    workspace: Workspace
    suffix: str
    settings: Settings
    region: str | None = None
    account: str | None = None

    def grants(self, *, teardown: bool = False) -> Grants:
        """Return the declared stack and its account; if `teardown`, all that any settings could declare."""
        state = self.workspace.load_state(self.suffix)
        recorded_account = state.location.account if state else None
        account = self.account or self.settings.account or recorded_account or NO_ACCOUNT
        return Grants(self._declared_stack(account, build_all if teardown else build), account)

    def _declared_stack(self, account: str, build: StackBuilder) -> Stack:
        """Return the declared stack, built without calls, and the resources in the state beside it."""
        settings, state = self.settings, self.workspace.load_state(self.suffix)
        lookups_in_state = state.lookups if state else {}
        chosen = lookups_in_state.get("master_password")
        version = settings.database.effective_version(lookups_in_state.get("version", ""))
        holder = chosen or ("own" if os.environ.get(INPUT_VARIABLE) else "rds")
        lookups = replace(
            offline_lookups(settings.network.zones, version), account=account, master_password=str(holder)
        )
        recorded_region = state.location.region if state else None
        region = choose_region(self.region or recorded_region, local=self.workspace.is_local).name
        stack = build(settings, self.suffix, region, lookups)
        stack.resources |= _undeclared_resources(state, stack) if state else {}
        return stack


def _undeclared_resources(state: StackState, stack: Stack) -> dict[str, Resource]:
    """Return the resources that the settings declare no longer: commands still read and delete them."""
    tagged = {name: one.id for name, one in state.resources.items() if RESOURCE_TYPES[one.type_name].tagged}
    arns = {id_: Ref(name, "id") for name, id_ in tagged.items() if id_.startswith("arn:")}
    return {
        name: Resource(
            RESOURCE_TYPES[resource_state.type_name],
            name,
            resource_state.aws_name,
            resource_state.step,
            {key: arns.get(str(value), value) for key, value in resource_state.desired.items()},
            tags_of(state.suffix, state.location.region, name, resource_state.aws_name, resource_state.tags),
            (),
            resource_state.region,
            resource_state.region or state.location.region,
        )
        for name, resource_state in state.resources.items()
        if name not in stack.resources
    }


def policies_for(scope: PolicyScope, purpose: str) -> list[Policy]:
    """Return the policies that a command needs, each within the size of a managed policy."""
    ordinary_commands = [name for name, command in COMMAND_PERMISSIONS.items() if not command.is_for_administrator]
    commands = ordinary_commands if purpose == "all" else [purpose]
    grant_lists = (
        grants_for(scope.grants(teardown=COMMAND_PERMISSIONS[command].covers_undeclared), command)
        for command in commands
    )
    grants = list(chain.from_iterable(grant_lists))
    denied = protect_foreign_tags(grants)
    changes_state = any(COMMAND_PERMISSIONS[command].changes_state for command in commands)
    if purpose in _ROLE_CHANGING_COMMANDS:
        denied += deny_statements(scope.grants().boundaries, for_teardown=purpose in ("teardown", "all"))
    state_statements = state_grants(
        scope.workspace.state_address, scope.grants().partition, changes_state=changes_state
    )
    return split_into_policies([*statements(grants), *state_statements, *denied])


def print_policies(console: Console, scope: PolicyScope, purpose: str, folder: Path | None = None) -> int:
    """Print the policies as one JSON array, or write each into a file of its own in `folder`."""
    policies = policies_for(scope, purpose)
    if console.as_json:
        console.record("policy", purpose=purpose, suffix=scope.suffix, policies=policies)
        return 0
    if folder:
        for path in _write_policies(policies, folder, f"{purpose}-{scope.suffix}"):
            console.data(str(path))
    else:
        console.data(json.dumps(policies, indent=2))
    if len(policies) > 1:
        console.note(f"{len(policies)} policies: IAM takes 6144 characters in one. Attach all of them.")
    if NO_ACCOUNT in json.dumps(policies):
        console.note(f"{NO_ACCOUNT} stands for the account: give it with --expect-account.")
    return 0


def _write_policies(policies: list[Policy], folder: Path, name: str) -> Iterator[Path]:
    """Write each policy into a file that `aws iam create-policy --policy-document file://...` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, policy in enumerate(policies, start=1):
        path = folder / (f"{name}-{number}.json" if len(policies) > 1 else f"{name}.json")
        path.write_text(json.dumps(policy, indent=2) + "\n")
        yield path
