"""`deploy`: another image for one service, followed until it serves."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import open_known_session, rollout_from
from provisioner.commands.help_page import Command
from provisioner.commands.options import rollout_options, stack_options
from provisioner.commands.task_options import check_task_size, cpu_option, memory_option, variables_option


@click.command(cls=Command)
@stack_options
@click.option("--image", required=True, metavar="REF", help="The image; a tag in ECR is resolved to its digest.")
@cpu_option
@memory_option
@variables_option
@rollout_options
def deploy(
    image: str, cpu: int | None, memory: int | None, variables: tuple[tuple[str, str], ...], **given: Any
) -> int:
    """Ship an image to a service, and follow the rollout to its true end."""
    from provisioner.commands.service_deployment import DeployOptions, deploy_image

    check_task_size(cpu, memory)
    console, session = open_known_session(given)
    options = DeployOptions(rollout_from(given), image, cpu, memory, dict(variables))
    return deploy_image(console, session, options)
