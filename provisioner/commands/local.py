"""`local`: the commands that start, stop and show local AWS."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.emulator.local import ACCOUNTS
from provisioner.terminal.console import Console

json_option = click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")


@click.group()
def local() -> None:
    """Run the local AWS: moto's server with AWS's behaviour, on loopback."""


@local.command()
@click.option("--pace", type=click.FloatRange(0, 1), help="0 is instant, 1 as slow as AWS.  [default: 0]")
@click.option("--manners", type=click.Choice(["on", "off"]), help="AWS's refusals and delays.  [default: on]")
@click.option("--port", type=int, default=0, help="0 takes a free one.")
@click.option(
    "--authorise",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Allow what these policies allow, and no more: the output of `policy --json`.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Answer to this name too, besides localhost: a container's, or a CI service's. Repeatable.",
)
@click.option(
    "--address",
    metavar="IP",
    help="Listen at this address; 0.0.0.0 for other containers to reach it.  [default: 127.0.0.1]",
)
@click.option(
    "--account",
    type=click.Choice(ACCOUNTS),
    help="strict is an organisation's: its protections and contracts stand there.  [default: plain]",
)
@json_option
def start(
    pace: float | None,
    manners: str | None,
    port: int,
    authorise: Path | None,
    hosts: tuple[str, ...],
    address: str | None,
    account: str | None,
    as_json: bool,
) -> int:
    """Start it, or say that it runs.

    It answers on loopback, to localhost, and to nothing that a web page sends. In a container, `--address
    0.0.0.0 --port 4566 --host NAME`, where NAME is what others call the container, lets those others in;
    publish the port to 127.0.0.1 only.
    """
    from provisioner.commands.local_aws import EmulatorOptions, start_emulator

    behaviours = None if manners is None else manners == "on"
    options = EmulatorOptions(speed=pace, behaviours=behaviours, hosts=hosts or None, address=address, account=account)
    return start_emulator(Console(as_json=as_json), options, port=port, authorise=authorise)


@local.command()
@json_option
def stop(as_json: bool) -> int:
    """Stop it; what it held is gone, and so are the ledgers of it."""
    from provisioner.commands.local_aws import stop_emulator

    return stop_emulator(Console(as_json=as_json))


@local.command("status")
@json_option
def local_status(as_json: bool) -> int:
    """Say whether it runs, and where."""
    from provisioner.commands.local_aws import show_emulator_status

    return show_emulator_status(Console(as_json=as_json))
