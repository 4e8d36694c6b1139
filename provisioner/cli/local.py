"""The commands of the embedded AWS."""

from __future__ import annotations

import click


@click.group()
def local() -> None:
    """The embedded AWS: moto's server with AWS's manners, on loopback."""


@local.command()
@click.option("--pace", type=click.FloatRange(0, 1), default=0.0, help="0 is instant, 1 as slow as AWS.")
@click.option("--manners", type=click.Choice(["on", "off"]), default="on", help="AWS's refusals and delays.")
@click.option("--port", type=int, default=0, help="0 takes a free one.")
def start(pace: float, manners: str, port: int) -> int:
    """Start it, or say that it runs."""
    from provisioner.embedded import local as embedded
    from provisioner.workspace import Workspace

    box = embedded.start(Workspace.here().embedded, pace=pace, manners=manners == "on", port=port)
    click.echo(f"The embedded AWS listens at {box.endpoint} (process {box.pid}, pace {box.pace:g}).")
    return 0


@local.command()
def stop() -> int:
    """Stop it; what it held is gone, and so are the ledgers of it."""
    from provisioner.embedded import local as embedded
    from provisioner.workspace import Workspace

    workspace = Workspace.here(local=True)
    stopped = embedded.stop(workspace.embedded)
    for suffix in workspace.suffixes():
        workspace.store(suffix).remove()
    click.echo("The embedded AWS has ended, and what it held with it." if stopped else "It was not running.")
    return 0


@local.command("status")
def local_status() -> int:
    """Say whether it runs, and where."""
    from provisioner.embedded import local as embedded
    from provisioner.workspace import Workspace

    box = embedded.running(Workspace.here().embedded)
    click.echo(
        f"It listens at {box.endpoint} (process {box.pid}, since {box.started})." if box else "Not running."
    )
    return 0 if box else 1
