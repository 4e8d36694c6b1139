"""`version`: the version of this program."""

from __future__ import annotations

import click

from provisioner import __version__


@click.command()
def version() -> int:
    """Print the version, as `--version` does."""
    click.echo(f"ml-api, version {__version__}")
    return 0
