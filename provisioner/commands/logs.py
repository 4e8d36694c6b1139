"""`logs`: the command that shows log lines."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import Duration, stack_options


@click.command(cls=Command)
@stack_options
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes.")
@click.option("--previous", is_flag=True, help="Of the task that ended last, before the ones that run.")
@click.option("--since", type=Duration(), help="How far back.  [default: 1h; with --previous, all of it]")
@click.option("--until", type=Duration(), default="0s", help="How far back to end, such as 10m.  [default: now]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N lines.")
@click.option(
    "--service",
    default="",
    shell_complete=complete_from("services"),
    help="Only this service's (`api` is the main one).",
)
@click.option("--task", default="", metavar="ID", help="Only this task's; the beginning of its id will do.")
@click.option("--filter", "pattern", default="", help="Only what CloudWatch's filter pattern matches.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["tasks", "alb", "database", "firewall"]),
    default="tasks",
    show_default=True,
    help="Who wrote it; the balancer's own come minutes late, and --filter is a plain text there.",
)
@click.option("--raw", "is_raw", is_flag=True, help="As the container wrote it, control sequences too.")
def logs(
    follow: bool,
    previous: bool,
    since: float | None,
    until: float,
    limit: int | None,
    service: str,
    task: str,
    pattern: str,
    source: str,
    is_raw: bool,
    **given: Any,
) -> int:
    """Show what the tasks have written, and with --follow what they write."""
    from provisioner.commands.log_query import LogQuery, print_logs

    console, session = open_known_session(given)
    console.is_raw = is_raw
    query = LogQuery(since, follow, service, task, pattern, source, until, limit, previous)
    return print_logs(console, session, query)
