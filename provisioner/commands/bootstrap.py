"""`bootstrap`: the role that a pipeline assumes by OIDC."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.options import purpose_option, stack_options, yes_option


@click.command()
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
    from provisioner.commands import operator_policy as permitting
    from provisioner.commands import pipeline_role as bootstrapping
    from provisioner.commands.context import console_and_workspace, load_settings, open_session, raise_missing_suffix
    from provisioner.permissions.pipeline import Pipeline

    console, workspace = console_and_workspace(given)
    suffix, where = given["suffix"] or raise_missing_suffix(), (given["region"], given["expect_account"])
    scope = permitting.PolicyScope(workspace, suffix, load_settings(given), *where)
    pipeline = Pipeline(repo, branch, environment, audience, pull_request)
    pipeline.check_command(purpose)
    pipeline_role = bootstrapping.PipelineRole(scope, pipeline, purpose)
    if not yes:
        return bootstrapping.print_pipeline_role(console, pipeline_role)
    return bootstrapping.create_pipeline_role(console, pipeline_role, open_session(given, workspace, suffix))
