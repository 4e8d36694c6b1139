"""The size and the variables of a task on the command line of `deploy` and `run`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from provisioner.commands.completion import complete_from
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.resources.ecs.revisions import RunningRevision

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variable(click.ParamType[tuple[str, str]]):
    """An environment variable on the command line: NAME=VALUE."""

    name = "variable"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not sign or not _NAME.fullmatch(name):
            self.fail("a variable is NAME=VALUE, such as LOG_LEVEL=debug", param, ctx)
        return name, text


cpu_option = click.option(
    "--cpu", type=int, shell_complete=complete_from("cpu_units"), help="CPU units of a task; 1024 are one vCPU."
)
memory_option = click.option("--memory", type=int, shell_complete=complete_from("memory_sizes"), help="MiB of a task.")
variables_option = click.option(
    "--env",
    "variables",
    multiple=True,
    type=Variable(),
    metavar="NAME=VALUE",
    shell_complete=complete_from("variables"),
    help="A variable; repeatable.",
)


def check_no_secret(running: RunningRevision, variables: Iterable[str]) -> None:
    """Raise UsageError if a secret of the container fills one of these variables: ECS takes a name from one source."""
    secrets = {secret["name"] for secret in running.container.get("secrets", [])}
    if conflicting := sorted(secrets.intersection(variables)):
        raise UsageError(f"{', '.join(conflicting)} is filled from a secret.", "Change the secret, or the setting.")


def check_task_size(cpu: int | None, memory: int | None) -> None:
    """Check that Fargate has a task of so many CPU units and MiB; None is a number that is not known yet.

    Raises:
        UsageError: Fargate has no such task; the hint names those that are nearest.

    """
    from provisioner.settings.container import FARGATE_MEMORY, nearest_sizes

    fitting = [units for units, sizes in FARGATE_MEMORY.items() if memory is None or memory in sizes]
    if fitting and cpu in (None, *fitting):
        return
    asked = " with ".join(
        f"{number} {unit}" for number, unit in ((cpu, "CPU units"), (memory, "MiB")) if number is not None
    )
    nearest = " or ".join(f"--cpu {units} --memory {mebibytes}" for units, mebibytes in nearest_sizes(cpu, memory))
    raise UsageError(f"Fargate has no task of {asked}.", f"Nearest: {nearest}.")
