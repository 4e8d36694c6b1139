"""`config`: the settings and where they come from, their schema, and a file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import console_from
from provisioner.commands.help_page import Group
from provisioner.commands.options import settings_options
from provisioner.commands.output_options import output_options
from provisioner.project_folder import SETTINGS_FILE, find_settings_file


@click.group(cls=Group)
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


_file_option = click.option(
    "--config", "file", type=click.Path(path_type=Path), help="The file [default: ml-api.toml]."
)


@config.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="SECTION.KEY=VALUE...")
@_file_option
@output_options
def set_(assignments: tuple[str, ...], file: Path | None, **output: Any) -> int:
    """Set settings in the settings file, whose comments stay; makes the file if there is none."""
    from provisioner.commands.settings_file import set_settings

    return set_settings(console_from(output), _settings_file(file), assignments)


@config.command("unset")
@click.argument("settings", nargs=-1, required=True, metavar="SECTION.KEY...")
@_file_option
@output_options
def unset(settings: tuple[str, ...], file: Path | None, **output: Any) -> int:
    """Take settings out of the settings file: their defaults count again."""
    from provisioner.commands.settings_file import unset_settings

    return unset_settings(console_from(output), _settings_file(file), settings)


def _settings_file(given: Path | None) -> Path:
    """Return the file that is given, else the nearest one, else that of the working directory."""
    return given or find_settings_file() or Path(SETTINGS_FILE)
