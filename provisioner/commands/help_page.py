"""The help page of a command: options under headings, nothing cut, and command lines that run as they stand."""

from __future__ import annotations

import click

from provisioner.commands.typed_words import (
    command_name,
    explain_option,
    options_of,
    raise_unknown_command,
    single_dash_option,
)
from provisioner.errors import UsageError
from provisioner.names import PROGRAM

# The headings of options that several commands have, in the order of the page. What is under none of them is the
# command's own, and comes first.
_HEADINGS = {
    "Plan": ("--target", "--exclude", "--take", "--take-over", "--adopt-all", "--skip-preflight"),
    "Stack": ("--suffix", "--region", "--local"),
    "Settings": ("--config", "--set", "--keep-settings"),
    "Connection": ("--aws-profile", "--expect-account", "--state", "--state-endpoint"),
    "Output": ("--output", "--query", "--json", "--quiet", "--no-color"),
    "Global": ("--debug", "--log-file", "--version", "--help"),
}
_OWN = "Options"
_HEADING_OF = {option: heading for heading, options in _HEADINGS.items() for option in options}
# Command lines at the end of the help of a command: each runs as it stands, in a folder with such a stack and file.
EXAMPLES = {
    "apply": ("apply -s demo --local", "apply -s prod --set service.maximum=20", "apply prod.plan"),
    "plan": ("plan -s prod --out prod.plan", "plan -s prod --query summary", "plan -s new --offline"),
    "drift": ("drift -s prod --detailed-exitcode", "drift -s prod --markdown drift.md"),
    "teardown": ("teardown -s demo --local", "teardown -s prod --dry-run"),
    "verify-gone": ("verify-gone -s demo --local", "verify-gone -s prod --region eu-west-1"),
    "deploy": ("deploy -s prod --image registry.example/api:1.4.2", "deploy -s prod --image api:2 --env MODE=fast"),
    "rollback": ("rollback -s prod", "rollback -s prod --to 41"),
    "releases": ("releases -s prod", "releases -s prod --query 'releases[0].image'"),
    "restart": ("restart -s prod", "restart -s prod --fail-fast --yes"),
    "scale": ("scale -s prod --min 2 --max 20",),
    "run": (
        "run -s prod -- python manage.py migrate",
        "run -s prod --spot --cpu 4096 --memory 8192 --env BATCH=7 --detach -- python score.py",
        "run -s prod --image public.ecr.aws/acme/tools:3 -- ./backfill.sh",
    ),
    "status": ("status -s prod", "status -s prod --resources", "status -s prod --query outputs.vpc_id"),
    "doctor": ("doctor -s prod", "doctor -s prod --all"),
    "logs": ("logs -s prod -f", "logs -s prod --since 1h --filter ERROR", "logs -s prod --previous"),
    "exec": ("exec -s prod", "exec -s prod -- env"),
    "db tunnel": ("db tunnel -s prod", "db tunnel -s prod --port 5433"),
    "open": ("open -s prod", "open -s prod --print"),
    "outputs": ("outputs -s prod", "outputs -s prod vpc_id", "outputs -s prod --format env"),
    "report": ("report -s prod --html prod.html",),
    "graph": ("graph -s prod", "graph -s prod --format svg"),
    "list": ("list", "list --query 'stacks[].suffix'"),
    "history": ("history", "history -s prod --limit 10"),
    "show": ("show", "show last~1 -s prod"),
    "diff": ("diff", "diff last~2 last -s prod"),
    "timeline": ("timeline -s prod", "timeline last~1 -s prod --html run.html"),
    "state init": ("state init --state s3://team-states/ml-api",),
    "state pull": ("state pull -s prod", "state pull -s prod --query serial"),
    "state push": ("state push -s prod prod.json",),
    "state history": ("state history -s prod",),
    "state restore": ("state restore -s prod 3",),
    "state unlock": ("state unlock -s prod",),
    "policy": ("policy -s prod --for apply --expect-account 111122223333 --out policies", "policy -s prod --for plan"),
    "bootstrap": (
        "bootstrap -s prod --repo acme/api --branch main --for apply",
        "bootstrap -s prod --repo acme/api --pull-request --for plan --yes",
    ),
    "rotate-origin-secret": ("rotate-origin-secret -s prod",),
    "config show": ("config show", "config show --set profile=production"),
    "config schema": ("config schema",),
    "config init": ("config init", "config init prod.toml"),
    "config set": ("config set service.maximum=20", "config set profile=production --config prod.toml"),
    "config unset": ("config unset service.maximum",),
    "local start": ("local start", "local start --speed 0.02 --port 4566"),
    "local stop": ("local stop",),
    "local status": ("local status", "local status --query endpoint"),
    "version": ("version",),
    "help": ("help db tunnel",),
    "completion": ("completion bash",),
}


class Command(click.Command):
    """A command whose help lists its options under headings, and whose refusal of an option says what to type."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; an unknown option is answered with what does the same here."""
        if not ctx.resilient_parsing and (option := single_dash_option(args, options_of(self))):
            raise explain_option(option, ctx)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise explain_option(error.option_name, ctx) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then the common ones under their headings."""
        records: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                heading = next(filter(None, map(_HEADING_OF.get, parameter.opts)), _OWN)
                records.setdefault(heading, []).append(record)
        for heading in (_OWN, *_HEADINGS):
            if heading in records:
                with formatter.section(heading):
                    formatter.write_dl(records[heading])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then what else the command says at the end."""
        if examples := EXAMPLES.get(command_name(ctx)):
            with formatter.section("Examples"):
                for example in examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{PROGRAM} {example}\n")
        super().format_epilog(ctx, formatter)


class Group(click.Group):
    """A group of commands whose list is not cut, and whose refusal of a word says what to type."""

    command_class = Command

    @property
    def known_words(self) -> tuple[str, ...]:
        """The words that can be typed after the group's name."""
        return tuple(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line up to the command."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise UsageError(
                f"There is no option {error.option_name} before the command.",
                "Write it after the command, as in `status --suffix NAME`.",
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with the first sentence of its help, whole."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, first_sentence(self.commands[name])) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is typed, and its arguments; an unknown word names the command that was meant."""
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise_unknown_command(command_name(ctx), args, self.known_words)
        return super().resolve_command(ctx, args)


def first_sentence(command: click.Command) -> str:
    """Return the first sentence of a command's help."""
    return f"{' '.join(str(command.help).split()).partition('. ')[0].rstrip('.')}."
