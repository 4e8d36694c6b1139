"""The way in: every command, and the exit code it ends with."""

from __future__ import annotations

import gc
import os
import signal
import sys

if __name__ == "__main__":

    def _end_at_once(number: int, _frame: object) -> None:
        """End while the modules are still being imported: nothing has been begun."""
        try:
            os.write(2, b"Error: Stopped.\nNothing was changed.\n")
        finally:
            os._exit(128 + number)

    for _number in (signal.SIGTERM, signal.SIGINT):  # before anything that takes time
        signal.signal(_number, _end_at_once)

import click

from provisioner import __version__, stopping
from provisioner.commands import (
    apply,
    bootstrap,
    completion,
    config,
    db,
    deploy,
    diff,
    doctor,
    drift,
    exec_,
    graph,
    history,
    list_stacks,
    local,
    logs,
    open_,
    outputs,
    plan,
    policy,
    releases,
    report,
    restart,
    rollback,
    rotate_origin_secret,
    run,
    scale,
    show,
    state,
    status,
    teardown,
    timeline,
    verify_gone,
)
from provisioner.commands.help_sections import Sections
from provisioner.commands.hints import as_typed
from provisioner.errors import Interrupted, UsageError
from provisioner.names import PROGRAM
from state.errors import ProvisionerError

# New containers between two collections; a look at a stack leaves some 20,000.
_COLLECT_EVERY = 100_000


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ml-api")
def cli() -> None:
    """Bring an ML API stack up on AWS, look at it, and take it down again."""


# In the order in which they are met; commands/help_sections.py says how `--help` lists them.
COMMANDS: tuple[click.Command, ...] = (
    apply.apply,
    plan.plan,
    drift.drift,
    graph.graph,
    status.status,
    outputs.outputs,
    logs.logs,
    exec_.exec_,
    db.db,
    open_.open_,
    doctor.doctor,
    deploy.deploy,
    rollback.rollback,
    releases.releases,
    restart.restart,
    scale.scale,
    run.run,
    teardown.teardown,
    verify_gone.verify_gone,
    list_stacks.list_,
    timeline.timeline,
    history.history,
    show.show,
    diff.diff,
    report.report,
    policy.policy,
    bootstrap.bootstrap,
    config.config,
    state.state,
    rotate_origin_secret.rotate_origin_secret,
    local.local,
    completion.completion,
)

for _command in COMMANDS:
    cli.add_command(_command)


def _forget_empty() -> None:
    """Take a variable of AWS's that is empty, as pipelines leave it, for one that is not set."""
    for name in [name for name, value in os.environ.items() if name.startswith("AWS_") and not value]:
        del os.environ[name]


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code; no traceback for anything AWS or the user did."""
    from provisioner.terminal.console import Console, say_all, unsaid

    # Most commands live for seconds, and collecting cycles costs them more than it frees: it is done seldom.
    # Those that go on for hours (`--watch`, `logs --follow`) need it all the same.
    gc.set_threshold(_COLLECT_EVERY, 5, 5)
    if arguments is None:
        stopping.listen()
        say_all()
    stopping.forget_changes()
    _forget_empty()
    arguments = sys.argv[1:] if arguments is None else arguments
    console = Console(as_json="--json" in arguments)
    try:
        code = cli.main(args=arguments, prog_name=PROGRAM, standalone_mode=False, obj=arguments)
    except Interrupted as error:
        message, hint = stopping.stopped(error)
        console.error(message, as_typed(hint, arguments, cli), error.result)
        code = error.exit_code
    except ProvisionerError as error:
        told = f"{error.message}\n{error.evidence}".rstrip()
        console.error(told, as_typed(error.hint, arguments, cli), error.result)
        code = error.exit_code
    except click.ClickException as error:
        if console.as_json:
            console.error(error.format_message(), "`--help` tells what can be typed.", UsageError.result)
        else:
            error.show()
        code = UsageError.exit_code
    except OSError as error:  # of this machine: what AWS does has words of its own
        told = f"{error.filename or 'Something on this machine'}: {error.strerror or error}"
        console.error(f"{told}.", "Mend that, then run the same command again: what was done is recorded.")
        code = ProvisionerError.exit_code
    except (click.Abort, KeyboardInterrupt) as stop:
        console.error(*stopping.stopped(), Interrupted.result)
        code = stopping.exit_code(stop.__cause__ or stop)  # click raises an Abort in its place
    sys.exit(code or (ProvisionerError.exit_code if unsaid else 0))


if __name__ == "__main__":
    main()
