"""The options of commands about one stack: which it is, its settings, and how the command goes about it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.output_options import combine_options, output_options
from provisioner.permissions import COMMAND_NAMES

# AWS takes no time before 1970 (botocore logs Timestamp: at least 0).
_MOST_YEARS = 50
_YEAR = 365 * 24 * 3600  # seconds


class Duration(click.ParamType[float]):
    """A duration on the command line: seconds, or a number followed by s, m or h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the duration in seconds."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if not match:
            self.fail(f"{value!r} is no duration such as 30s or 10m", param, ctx)
        seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
        if seconds > _MOST_YEARS * _YEAR:
            self.fail(f"{value!r} is longer than {_MOST_YEARS} years", param, ctx)
        return seconds


class AccountId(click.ParamType[str]):
    """An AWS account on the command line: twelve digits."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id without dashes."""
        digits = str(value).replace("-", "")
        if not re.fullmatch(r"[0-9]{12}", digits):
            self.fail(f"{value!r} is no AWS account: it has twelve digits, such as 111122223333", param, ctx)
        return digits


keep_settings_option = click.option(
    "--keep-settings", is_flag=True, help="Stay with what --set gave to the last apply."
)
settings_options = combine_options(
    click.option(
        "--config", type=click.Path(path_type=Path), help="The settings file [default: the nearest ml-api.toml]."
    ),
    click.option(
        "--set", "sets", multiple=True, metavar="KEY=VALUE", help="A setting for this command alone; repeatable."
    ),
)


def _choose_profile(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Let all calls of this process use a profile, as AWS_PROFILE does."""
    if name and not ctx.resilient_parsing:
        os.environ["AWS_PROFILE"] = name


_suffix = click.option(
    "--suffix",
    "-s",
    envvar="ENVIRONMENT_SUFFIX",
    metavar="NAME",
    shell_complete=complete_from("suffixes"),
    help="The stack: its name in every resource.",
)
_region = click.option(
    "--region",
    "-r",
    metavar="REGION",
    help="The region; without it AWS_REGION, AWS_DEFAULT_REGION, the profile's (none with --local), us-east-1.",
)
_state_options = combine_options(
    click.option("--local", is_flag=True, envvar="MLAPI_LOCAL", help="Use the local AWS."),
    click.option("--state", envvar="MLAPI_STATE", metavar="PLACE", help="The state file, or s3://bucket/prefix."),
    click.option(
        "--state-endpoint",
        envvar="MLAPI_STATE_ENDPOINT",
        metavar="URL",
        help="The S3 store that the state is in, where it is not Amazon's; for the state alone.",
    ),
)
_profile = click.option(
    "--aws-profile",
    metavar="NAME",
    expose_value=False,
    callback=_choose_profile,
    help="The profile of the AWS configuration (as AWS_PROFILE).",
)
_account = click.option("--expect-account", type=AccountId(), metavar="ID", help="Refuse every other account.")
# The options of commands about one stack; about its state alone; about a state that several people share.
stack_options = combine_options(_suffix, _region, _profile, _state_options, _account, settings_options, output_options)
state_options = combine_options(_suffix, _profile, _state_options, output_options)
shared_options = combine_options(_region, _profile, _state_options, _account, output_options)

yes_option = click.option("--yes", "-y", "--auto-approve", is_flag=True, help="Do not ask.")
lock_option = click.option(
    "--lock-timeout", type=Duration(), default="0s", help="How long to wait for another run, such as 10m."
)

selection_options = combine_options(
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=complete_from("addresses", "resources"),
        help="Only this step or resource, and what it needs.",
    ),
    click.option(
        "--exclude",
        "excludes",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=complete_from("addresses", "resources"),
        help="Leave it, and what needs it, alone.",
    ),
)
markdown_option = click.option(
    "--markdown", type=click.Path(path_type=Path), help="Write it as Markdown too, for a pull request."
)
take_over_option = click.option(
    "--take-over",
    is_flag=True,
    help="Go on in place of a run on another machine that is known to be dead.",
)
take_option = click.option(
    "--take",
    multiple=True,
    type=click.Choice(["image", "counts"]),
    help="Take back what another owner holds: the image from `deploy`, the counts from `scale`.",
)

service_option = click.option(
    "--service",
    default="",
    shell_complete=complete_from("services"),
    help="The service [default: api, the main one].",
)

fail_fast_option = click.option(
    "--fail-fast", is_flag=True, help="Give up and roll back at the first task that cannot run."
)

smoke_option = click.option(
    "--smoke/--no-smoke", default=True, help="Request the health path and the prefixes at the end [default: on]."
)

# The options of a command that rolls a revision out.
rollout_options = combine_options(service_option, yes_option, lock_option, fail_fast_option, smoke_option)

purpose_option = click.option(
    "--for",
    "purpose",
    type=click.Choice([*COMMAND_NAMES, "all"]),
    metavar="COMMAND",
    default="all",
    show_default=True,
    help=f"The command that is to be allowed: {', '.join(COMMAND_NAMES)} or all.",
)
