"""`drift`: the differences between the state and AWS."""

from __future__ import annotations

import time
from pathlib import Path

from provisioner.applied_settings import describe_changes
from provisioner.commands.output_files import append_job_summary, set_job_outputs, write
from provisioner.commands.plan_context import print_checked_resources, print_header
from provisioner.engine.planning.drift import DriftReport
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.drift import drift_sentence, show_drift
from provisioner.terminal.markdown import drift_markdown
from provisioner.workspace import as_sentence, next_steps, unfinished_teardown

DRIFT_PRESENT = 2


def report_drift(console: Console, session: Session, *, detailed: bool, markdown: Path | None = None) -> int:
    """Show what was changed outside of this tool and what an apply would do; return the exit code."""
    print_header(console, session)
    started = time.monotonic()
    report, plan = session.drift()
    for note in describe_changes(session.state.settings, session.given, session.settings, session.state.salt):
        console.note(note)
    show_drift(console, report)
    if began := unfinished_teardown(session.state):
        advice = next_steps(session.options.workspace, session.suffix)
        console.note(f"{as_sentence(began)}: what it has deleted is no drift. {advice}", "yellow")
    _publish(session, report, markdown)
    print_checked_resources(console, session, plan, started)
    return DRIFT_PRESENT if detailed and report.is_drifting else 0


def _publish(session: Session, report: DriftReport, markdown: Path | None) -> None:
    """Give the report to GitHub if this is a job there, and write it as Markdown to `markdown`, if given."""

    def text() -> str:
        return drift_markdown(report, drift_sentence(report))

    append_job_summary(text, session.warn)
    set_job_outputs({"drift": sum(drift.category != "held" for drift in report.drifts)}, session.warn)
    if markdown:
        write(markdown, text())
