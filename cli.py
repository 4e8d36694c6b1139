"""The commands, thin: parse, call, print, exit code."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import click

from provisioner import __version__
from provisioner.errors import Incomplete, NoSuchStack, ProvisionerError, UsageError
from provisioner.terminal.options import lock_option, stack_options, yes_option

if TYPE_CHECKING:
    from provisioner.session import Session
    from provisioner.terminal.say import Say
    from provisioner.workspace import Workspace


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ml-api")
def cli() -> None:
    """Bring an ML API stack up on AWS, look at it, and take it down again."""


@cli.command()
@stack_options
@yes_option
@lock_option
@click.option("--adopt-all", is_flag=True, help="Put a damaged state file aside and rebuild it from AWS.")
def apply(yes: bool, lock_timeout: float, **given: Any) -> int:
    """Create or repair the stack; prints the outputs last."""
    from provisioner.commands import applying
    from provisioner.commands.asking import Asking

    say, workspace = _begin(given)
    session = _open(given, workspace, given["suffix"] or _missing_suffix())
    return applying.apply(say, session, Asking(yes), lock_timeout)


@cli.command()
@stack_options
@click.option("--all", "everything", is_flag=True, help="Every stack known here.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
def plan(everything: bool, detailed_exitcode: bool, **given: Any) -> int:
    """Show what apply would do; changes nothing."""
    from provisioner.commands import planning

    say, workspace = _begin(given)
    if not everything:
        suffix = given["suffix"] or _missing_suffix()
        return planning.plan(say, _open(given, workspace, suffix), detailed=detailed_exitcode)
    codes = [
        planning.plan(say, _open(given, workspace, suffix), detailed=detailed_exitcode)
        for suffix in workspace.suffixes()
    ]
    return max(codes, default=0)


@cli.command()
@stack_options
@click.option("--all", "everything", is_flag=True, help="Every stack known here.")
def status(everything: bool, **given: Any) -> int:
    """Show every resource with its phase, id and live condition, then the outputs."""
    from provisioner.commands import showing

    say, workspace = _begin(given)
    suffixes = workspace.suffixes() if everything else [_known(workspace, given["suffix"])]
    return max((showing.status(say, _open(given, workspace, one)) for one in suffixes), default=0)


@cli.command()
@stack_options
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["table", "json", "env", "github"]), default="table")
def outputs(name: str | None, form: str, **given: Any) -> int:
    """Print the outputs as the last apply left them, or one of them."""
    from provisioner.commands.showing import show_outputs

    say, workspace = _begin(given)
    suffix = _known(workspace, given["suffix"])
    document = workspace.document(suffix)
    values = document.outputs if document else {}
    if not values:
        raise Incomplete(
            f"The stack {suffix} has no outputs yet: no apply has ended well.",
            f"`{workspace.command('apply', suffix)}` goes on.",
        )
    if name is None:
        show_outputs(say, values, form)
    elif name in values:
        say.data(values[name])
    else:
        raise UsageError(f"There is no output {name}.", f"There are: {', '.join(values) or 'none yet'}.")
    return 0


@cli.command()
@stack_options
@yes_option
@lock_option
def teardown(yes: bool, lock_timeout: float, **given: Any) -> int:
    """Remove the stack, in reverse order."""
    from provisioner.commands import removing
    from provisioner.commands.asking import Asking

    say, workspace = _begin(given)
    source = click.get_current_context().get_parameter_source("suffix")
    if yes and source is not click.core.ParameterSource.COMMANDLINE:
        raise UsageError(
            "--yes removes only a stack that is named on the command line.", "Add --suffix NAME."
        )
    suffix = workspace.choose(given["suffix"])
    return removing.teardown(say, _open(given, workspace, suffix), Asking(yes), lock_timeout)


@cli.command("verify-gone")
@stack_options
def verify_gone(**given: Any) -> int:
    """Look again whether anything of a stack is left; needs no state file."""
    from provisioner.commands import removing

    say, workspace = _begin(given)
    return removing.verify_gone(say, _open(given, workspace, given["suffix"] or _missing_suffix()))


@cli.command("list")
@stack_options
def list_(**given: Any) -> int:
    """List the stacks that are known here."""
    from provisioner.terminal.say import table
    from provisioner.workspace import Workspace

    say, _ = _begin(given)
    head, rows = ("suffix", "account", "region", "resources"), []
    for local in (False, True):
        workspace = Workspace.here(local=local, state=None if local else given["state"])
        for suffix in workspace.suffixes():
            document = workspace.document(suffix)
            if document:
                where = "embedded" if local else document.place.account
                rows.append((suffix, where, document.place.region, str(len(document.entries))))
    if given["as_json"]:
        say.record("list", stacks=[dict(zip(head, row, strict=True)) for row in rows])
    else:
        for line in table(rows, head):
            say.data(line)
    return 0


@cli.group()
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


def _begin(given: dict[str, Any]) -> tuple[Say, Workspace]:
    from provisioner.terminal.say import Say
    from provisioner.workspace import Workspace

    say = Say(as_json=given["as_json"], color=not given["no_color"], quiet=given["quiet"])
    return say, Workspace.here(local=given["local"], state=given["state"])


def _open(given: dict[str, Any], workspace: Workspace, suffix: str) -> Session:
    from provisioner.configuration import load
    from provisioner.names import check_suffix
    from provisioner.session import Session, Where

    check_suffix(suffix)
    settings = load(given["config"], given["sets"])
    adopts = bool(given.get("adopt_all"))
    return Session.open(suffix, settings, Where(workspace, given["region"], given["expect_account"], adopts))


def _known(workspace: Workspace, suffix: str | None) -> str:
    chosen = workspace.choose(suffix)
    if workspace.document(chosen) is None:
        known = ", ".join(workspace.suffixes()) or "none"
        raise NoSuchStack(
            f"No stack {chosen} is known {workspace.words}; known: {known}.",
            f"If it stands in AWS, `{workspace.command('plan', chosen)}` shows what is found.",
        )
    return chosen


def _missing_suffix() -> str:
    raise UsageError("Which stack? Say --suffix NAME.", "Or set ENVIRONMENT_SUFFIX.")


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code; no traceback for anything AWS or the user did."""
    from provisioner.terminal.say import Say

    # A command lives for seconds; collecting cycles costs it more than it frees.
    gc.disable()
    say = Say(as_json="--json" in (sys.argv[1:] if arguments is None else arguments))
    try:
        code = cli.main(args=arguments, prog_name="ml-api", standalone_mode=False)
    except ProvisionerError as error:
        say.complain(error.message, error.hint, error.result)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = UsageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        say.complain("Stopped.", "Nothing was changed.", "interrupted")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
