"""`config`: the commands about the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.options import settings_options, voice_options


@click.group()
def config() -> None:
    """Show the settings: what is set and by whom, what can be set, and a file to begin with."""


@config.command("show")
@settings_options
@voice_options
def show(config: Path | None, sets: tuple[str, ...], **voice: Any) -> int:
    """Print every setting with its value and where that came from."""
    from provisioner.commands.context import voice_of
    from provisioner.configuration import explained
    from provisioner.workflows import config as configuring

    return configuring.show(voice_of(voice), explained(config, sets))


@config.command("schema")
@voice_options
def schema(**voice: Any) -> int:
    """Print the JSON Schema of the settings, for editors and other programs."""
    from provisioner.commands.context import voice_of
    from provisioner.workflows import config as configuring

    return configuring.schema(voice_of(voice))


@config.command("init")
@click.argument("file", type=click.Path(path_type=Path), default="ml-api.toml")
@voice_options
def init(file: Path, **voice: Any) -> int:
    """Write FILE [default: ml-api.toml] with every setting in it, none of them set."""
    from provisioner.commands.context import voice_of
    from provisioner.workflows import config as configuring

    return configuring.init(voice_of(voice), file)
