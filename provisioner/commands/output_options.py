"""The options of a command's output: its format, the query, colours, and the log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

# What options leave in the context of the command: the format, and the compiled query.
_FORMAT, QUERY = "ml-api.format", "ml-api.query"

F = TypeVar("F", bound=Callable[..., Any])


def combine_options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator for several options, in the order in which `--help` is to list them."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _start_debug_log(ctx: click.Context, _param: click.Parameter, is_on: bool) -> None:
    """Write the log to stderr; `main` ends it."""
    if is_on and not ctx.resilient_parsing:
        from provisioner.terminal.debug_log import log_to_stderr

        log_to_stderr()


def _start_log_file(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Append the log to a file; `main` ends it."""
    if path and not ctx.resilient_parsing:
        from provisioner.terminal.debug_log import log_to_file

        log_to_file(path)


def _choose_format(ctx: click.Context, _param: click.Parameter, output: str | None) -> None:
    """Remember the format for `--json`, which is read after it."""
    ctx.meta[_FORMAT] = output


def _compile_query(ctx: click.Context, _param: click.Parameter, expression: str | None) -> None:
    """Compile the expression: a wrong one is refused before any call."""
    if expression is None or ctx.resilient_parsing:
        return
    import jmespath

    try:
        ctx.meta[QUERY] = jmespath.compile(expression)
        with suppress(jmespath.exceptions.JMESPathTypeError):  # which value it will get is not known here
            ctx.meta[QUERY].search({})
    except jmespath.exceptions.JMESPathError as error:
        reason = " ".join(str(error).split())
        raise click.BadParameter(f"it is no JMESPath expression: {reason}") from error


def _is_json(ctx: click.Context, _param: click.Parameter, is_on: bool) -> bool:
    """Return whether JSON is asked for, by whichever of the options."""
    return is_on or ctx.meta.get(_FORMAT) == "json" or QUERY in ctx.meta


output_options = combine_options(
    click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        is_eager=True,
        expose_value=False,
        callback=_choose_format,
        help="The format: json is the same as --json.  [default: table]",
    ),
    click.option(
        "--query",
        metavar="JMESPATH",
        is_eager=True,
        expose_value=False,
        callback=_compile_query,
        help="Print only this part of the JSON, as `aws --query` does.",
    ),
    click.option("--json", "as_json", is_flag=True, callback=_is_json, help="Print JSON lines on stdout."),
    click.option("--no-color", is_flag=True, help="No colours (as NO_COLOR)."),
    click.option("--quiet", "-q", is_flag=True, help="Print only the result, and errors."),
    click.option(
        "--debug",
        "-v",
        is_flag=True,
        envvar="MLAPI_DEBUG",
        expose_value=False,
        callback=_start_debug_log,
        help="Log decisions, calls, retries and the lock on stderr.",
    ),
    click.option(
        "--log-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="MLAPI_LOG_FILE",
        expose_value=False,
        callback=_start_log_file,
        help="Append the same log to a file.",
    ),
)
