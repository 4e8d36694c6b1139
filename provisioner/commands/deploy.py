"""`deploy`: another image for one service, followed until it serves."""

from __future__ import annotations

import re
from typing import Any

import click

from provisioner.commands.context import open_known_session, rollout_from
from provisioner.commands.options import rollout_options, stack_options

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variable(click.ParamType[tuple[str, str]]):
    """An environment variable on the command line: NAME=VALUE."""

    name = "variable"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the value."""
        name, sign, text = str(value).partition("=")
        if not sign or not _NAME.fullmatch(name):
            self.fail("a variable is NAME=VALUE, such as LOG_LEVEL=debug", param, ctx)
        return name, text


@click.command()
@stack_options
@click.option("--image", required=True, metavar="REF", help="The image; a tag in ECR is resolved to its digest.")
@click.option("--cpu", type=int, help="CPU units of a task; 1024 are one vCPU.")
@click.option("--memory", type=int, help="MiB of a task.")
@click.option("--env", "variables", multiple=True, type=Variable(), metavar="K=V", help="A variable; repeatable.")
@rollout_options
def deploy(
    image: str, cpu: int | None, memory: int | None, variables: tuple[tuple[str, str], ...], **given: Any
) -> int:
    """Ship an image to a service, and follow the rollout to its true end."""
    from provisioner.commands.service_deployment import DeployOptions, deploy_image

    console, session = open_known_session(given)
    options = DeployOptions(rollout_from(given), image, cpu, memory, dict(variables))
    return deploy_image(console, session, options)
