"""`bootstrap`: the role that a pipeline assumes by OIDC."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, open_session, raise_missing_suffix, settings_from
from provisioner.commands.help_page import Command
from provisioner.commands.options import purpose_option, stack_options, yes_option


@click.command(cls=Command)
@stack_options
@yes_option
@click.option("--repo", required=True, metavar="OWNER/NAME", help="The repository on GitHub.")
@click.option("--branch", help="Runs of this branch may take the role.")
@click.option("--environment", help="Runs in this environment may take the role.")
@click.option("--pull-request", is_flag=True, help="Runs of pull requests may take it; with --for plan.")
@click.option("--audience", default="sts.amazonaws.com", show_default=True, help="What the token is for.")
@purpose_option
def bootstrap(
    yes: bool,
    repo: str,
    branch: str | None,
    environment: str | None,
    pull_request: bool,
    audience: str,
    purpose: str,
    **given: Any,
) -> int:
    """Print the role that a pipeline assumes by OIDC; with --yes, make it."""
    from provisioner.commands.operator_policy import PolicyScope
    from provisioner.commands.pipeline_role import PipelineRole, create_pipeline_role, print_pipeline_role
    from provisioner.permissions.pipeline import Pipeline

    console, workspace = console_and_workspace(given)
    suffix = given["suffix"] or raise_missing_suffix()
    scope = PolicyScope(workspace, suffix, settings_from(given), given["region"], given["expect_account"])
    pipeline = Pipeline(repo, branch, environment, audience, pull_request)
    pipeline.check_command(purpose)
    pipeline_role = PipelineRole(scope, pipeline, purpose)
    if not yes:
        return print_pipeline_role(console, pipeline_role)
    return create_pipeline_role(console, pipeline_role, open_session(given, workspace, suffix))
