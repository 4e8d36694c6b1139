"""`deploy`, `rollback`, `restart` and others: the commands about what a service runs."""

from __future__ import annotations

import re
from typing import Any

import click

from provisioner.cli.completion import by
from provisioner.cli.opening import begin, known_suffix, open_session
from provisioner.cli.options import lock_option, stack_options, yes_option
from provisioner.names import PROGRAM

service_option = click.option(
    "--service",
    default="",
    shell_complete=by("services"),
    help="Which one (`api`, the main one, unless said).",
)
fail_fast_option = click.option(
    "--fail-fast", is_flag=True, help="Give up and roll back at the first task that cannot run."
)
smoke_option = click.option(
    "--smoke/--no-smoke", default=True, help="Ask for health path and prefixes at the end. [on]"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variable(click.ParamType[tuple[str, str]]):
    """An environment variable on the command line: NAME=VALUE."""

    name = "variable"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the value."""
        name, sign, told = str(value).partition("=")
        if not sign or not _NAME.fullmatch(name):
            self.fail("a variable is NAME=VALUE, such as LOG_LEVEL=debug", param, ctx)
        return name, told


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--image", required=True, metavar="REF", help="The image; a tag in ECR is resolved to its digest.")
@click.option("--cpu", type=int, help="CPU units of a task; 1024 are one vCPU.")
@click.option("--memory", type=int, help="MiB of a task.")
@click.option("--env", "variables", multiple=True, type=Variable(), metavar="K=V", help="A variable; repeatable.")
@fail_fast_option
@smoke_option
def deploy(
    service: str,
    yes: bool,
    lock_timeout: float,
    image: str,
    cpu: int | None,
    memory: int | None,
    variables: tuple[tuple[str, str], ...],
    fail_fast: bool,
    smoke: bool,
    **given: Any,
) -> int:
    """Ship an image to a service, and follow the rollout to its true end."""
    from provisioner.commands import deploying
    from provisioner.commands.asking import Confirmation

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    chosen = (image, service, cpu, memory, dict(variables), fail_fast, lock_timeout, smoke)
    return deploying.deploy(console, session, deploying.DeployOptions(Confirmation(yes), *chosen))


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--to", default="", metavar="REVISION", help="To this one, not to the last good one before.")
@fail_fast_option
@smoke_option
def rollback(service: str, yes: bool, lock_timeout: float, to: str, fail_fast: bool, smoke: bool, **given: Any) -> int:
    """Bring a service back to the revision it ran before, and follow the rollout to its true end."""
    from provisioner.commands import going_back
    from provisioner.commands.asking import Confirmation

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    options = going_back.RollbackOptions(Confirmation(yes), service, to, fail_fast, lock_timeout, smoke)
    return going_back.rollback(console, session, options)


@click.command()
@stack_options
@service_option
def releases(service: str, **given: Any) -> int:
    """List what a service ran and could run: revision, image, when, by whom, result."""
    from provisioner.commands import releasing

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return releasing.releases(console, session, service)


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@fail_fast_option
@smoke_option
def restart(service: str, yes: bool, lock_timeout: float, fail_fast: bool, smoke: bool, **given: Any) -> int:
    """Replace the tasks of a service by new ones of the same revision, without a gap."""
    from provisioner.commands import restarting
    from provisioner.commands.asking import Confirmation

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return restarting.restart(
        console, session, restarting.RestartOptions(Confirmation(yes), service, fail_fast, lock_timeout, smoke)
    )


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--min", "minimum", type=click.IntRange(0, 5000), help="Tasks at least.")
@click.option("--max", "maximum", type=click.IntRange(0, 5000), help="Tasks at most.")
def scale(service: str, yes: bool, lock_timeout: float, minimum: int | None, maximum: int | None, **given: Any) -> int:
    """Set between how many tasks a service is scaled, until `apply --take counts`."""
    from provisioner.commands import scaling
    from provisioner.commands.asking import Confirmation

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return scaling.scale(
        console, session, scaling.ScaleOptions(Confirmation(yes), minimum, maximum, service, lock_timeout)
    )


@click.command(epilog=f"For example: {PROGRAM} run --suffix prod -- python manage.py migrate")
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--spot/--on-demand", default=False, help="The capacity; Spot may be taken back. [on demand]")
@click.option("--raw", "is_raw", is_flag=True, help="As the container wrote it, control sequences too.")
@click.option("--again", is_flag=True, help="Run it anew, though an earlier run of it was cut off.")
@click.argument("command", nargs=-1, required=True)
def run(
    service: str,
    yes: bool,
    lock_timeout: float,
    spot: bool,
    is_raw: bool,
    again: bool,
    command: tuple[str, ...],
    **given: Any,
) -> int:
    """Run COMMAND once, as a task of the service runs; its exit code is this command's."""
    from provisioner.commands import running
    from provisioner.commands.asking import Confirmation

    console, workspace = begin(given)
    console.is_raw = is_raw
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return running.run(
        console, session, running.RunOptions(Confirmation(yes), command, service, spot, lock_timeout, again)
    )
