"""`policy` and `bootstrap`: the commands about permissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.cli.options import stack_options, yes_option
from provisioner.rights.names import NAMES

purpose_option = click.option(
    "--for",
    "purpose",
    type=click.Choice([*NAMES, "all"]),
    default="all",
    show_default=True,
    help="The command that is to be allowed.",
)


@click.command()
@stack_options
@purpose_option
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each policy into a file of its own in DIR, instead of one JSON array to stdout.",
)
def policy(purpose: str, folder: Path | None, **given: Any) -> int:
    """Print the IAM policy that an operator of this stack needs; calls nothing."""
    from provisioner.cli.opening import begin, given_settings, missing_suffix
    from provisioner.commands import permitting

    console, workspace = begin(given)
    suffix = given["suffix"] or missing_suffix()
    scope = permitting.PolicyScope(workspace, suffix, given_settings(given), given["region"], given["expect_account"])
    return permitting.show(console, scope, purpose, folder)


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
    from provisioner.cli.opening import begin, given_settings, missing_suffix, open_session
    from provisioner.commands import bootstrapping, permitting
    from provisioner.rights.pipeline import Pipeline

    console, workspace = begin(given)
    suffix, where = given["suffix"] or missing_suffix(), (given["region"], given["expect_account"])
    scope = permitting.PolicyScope(workspace, suffix, given_settings(given), *where)
    pipeline = Pipeline(repo, branch, environment, audience, pull_request)
    pipeline.check_purpose(purpose)
    pipeline_role = bootstrapping.PipelineRole(scope, pipeline, purpose)
    if not yes:
        return bootstrapping.show(console, pipeline_role)
    return bootstrapping.make(console, pipeline_role, open_session(given, workspace, suffix))
