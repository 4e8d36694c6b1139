"""`config`: the settings and where they come from, their schema, and a file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import console_from
from provisioner.commands.options import output_options, settings_options


@click.group()
def config() -> None:
    """Show the settings: what is set and by whom, what can be set, and a file to begin with."""


@config.command("show")
@settings_options
@output_options
def show(config: Path | None, sets: tuple[str, ...], **output: Any) -> int:
    """Print every setting with its value and where that came from."""
    from provisioner.commands.settings_output import print_settings
    from provisioner.configuration import explain_settings

    return print_settings(console_from(output), explain_settings(config, sets))


@config.command("schema")
@output_options
def schema(**output: Any) -> int:
    """Print the JSON Schema of the settings, for editors and other programs."""
    from provisioner.commands.settings_output import print_schema

    return print_schema(console_from(output))


@config.command("init")
@click.argument("file", type=click.Path(path_type=Path), default="ml-api.toml")
@output_options
def init(file: Path, **output: Any) -> int:
    """Write FILE [default: ml-api.toml] with every setting in it, none of them set."""
    from provisioner.commands.settings_output import write_settings_file

    return write_settings_file(console_from(output), file)
