"""`scale`: the minimum and maximum number of a service's tasks, until the settings take that back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.plan_context import print_header
from provisioner.commands.rollout import interruptible
from provisioner.commands.service_controller import ServiceController
from provisioner.commands.service_run import ServiceRun, service_run
from provisioner.commands.stack_services import MAIN_SERVICE
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.planning.diff import Difference
from provisioner.errors import UsageError, amount
from provisioner.names import COUNT_OWNER
from provisioner.resources.ecs.overrides import SCALE
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.session import Session
from provisioner.settings.ineffective import never_scales_up_message
from provisioner.settings.overrides import Counts
from provisioner.terminal.console import Console
from state.serialization import json_fields


@dataclass(frozen=True)
class ScaleOptions:
    """The options of a scale; a bound that is not given stays as it is."""

    confirmation: Confirmation
    minimum: int | None = None
    maximum: int | None = None
    service: str = ""
    lock_timeout: float = 0.0


def scale_service(console: Console, session: Session, options: ScaleOptions) -> int:
    """Tag the service, so that no `apply` undoes it silently, then set the bounds; return the exit code.

    Raises:
        UsageError: No bound is given, or the maximum is 0 or lower than the minimum.

    """
    completion = CompletionLine(console, session, "Scale")
    print_header(console, session)
    _check_options(options)
    with service_run(console, session, "scale", options.service, options.lock_timeout) as run:
        with user_errors(f"looking at {run.service.aws_name}"):
            running, current = run.service.running(), read_counts(run.service)
        counts = _new_counts(options, current)
        run.record_events()
        _show_and_confirm(run, current, counts, options)
        _set_counts(run, running, current, counts)
        _print_counts(run, counts)
    completion.print(f"{run.service.title} {_bounds_in_words(counts)}")
    return 0


def _check_options(options: ScaleOptions) -> None:
    """Raise UsageError if no bound is given, or the maximum is 0 or lower than the minimum."""
    if options.minimum is None and options.maximum is None:
        raise UsageError("Between how many tasks?", "Say --min N, --max N, or both.")
    if options.maximum == 0:
        message = never_scales_up_message(f"With --max 0 {options.service or MAIN_SERVICE} stands at 0 tasks")
        raise UsageError(message, "Say --max 1 or more.")
    if options.minimum is not None and options.maximum is not None and options.maximum < options.minimum:
        raise _crossed_bounds_error(options, Counts(options.minimum, options.maximum))


def _new_counts(options: ScaleOptions, current: Counts) -> Counts:
    """Return the counts to set; raise UsageError if the maximum would be lower than the minimum."""
    counts = Counts(
        current.minimum if options.minimum is None else options.minimum,
        current.maximum if options.maximum is None else options.maximum,
    )
    if counts.maximum < counts.minimum:
        raise _crossed_bounds_error(options, counts)
    return counts


def _crossed_bounds_error(options: ScaleOptions, counts: Counts) -> UsageError:
    """Return the error that the maximum is lower than the minimum; a bound not given is the present one."""
    if options.maximum is None:
        message = f"--min {counts.minimum} is higher than the present maximum, {counts.maximum}."
        return UsageError(message, "Lower --min, or give a higher --max too.")
    if options.minimum is None:
        message = f"--max {counts.maximum} is lower than the present minimum, {counts.minimum}."
        return UsageError(message, "Raise --max, or give a lower --min too.")
    return UsageError(f"--max {counts.maximum} is lower than --min {counts.minimum}.", "Raise --max or lower --min.")


def _show_and_confirm(run: ServiceRun, current: Counts, counts: Counts, options: ScaleOptions) -> None:
    """Show what would change, if anything, and ask for confirmation; raise Declined if the person said no."""
    console, service = run.console, run.service
    if not counts.minimum:
        sentence = never_scales_up_message(f"{service.aws_name} may come to 0 tasks")
        console.note(f"{sentence} `{service.command('scale --min 1')}` keeps one running.", "yellow")
    if counts != current:
        console.note(f"  ~ {service.title} ({service.aws_name})")
        console.note(f"      tasks: {current.minimum} to {current.maximum} -> {counts.minimum} to {counts.maximum}")
        options.confirmation.confirm(console, f"Scale this in {run.session.suffix}?")


def _set_counts(run: ServiceRun, running: RunningRevision, current: Counts, counts: Counts) -> None:
    """Tag the service, then set the bounds; all of it may be repeated."""
    service, known = run.service, run.session.state.resources[run.service.scalable_target_id]
    run.record.plan = {"change": int(counts != current)}
    with interruptible(run.console, service, f"scaling {service.aws_name}"):
        service.tag_overrides(running, {COUNT_OWNER: SCALE})
        if counts != current:
            _set_bounds(service, current, counts)
        elif known.phase != "ready":  # an interrupted run, whose call reached AWS
            desired = {**known.desired, **_bounds(counts)}
            state_manager = service.executor.state_manager
            state_manager.record_adopted(service.scalable_target_id, replace(known, desired=desired))
            state_manager.record_ready(service.scalable_target_id)


def read_counts(service: ServiceController) -> Counts:
    """Return the minimum and maximum number of tasks of a service now.

    Raises:
        Incomplete: The service has no scalable target.

    """
    scalable_target = service.executor.read(service.managed_resource(service.scalable_target_id))
    if scalable_target is None:
        raise service.missing_error(f"The scaling of {service.aws_name}")
    return Counts(scalable_target["MinCapacity"], scalable_target["MaxCapacity"])


def _set_bounds(service: ServiceController, current: Counts, counts: Counts) -> None:
    """Set the minimum and maximum number of tasks; the call is an upsert, so it may be repeated."""
    executor, managed = service.executor, service.managed_resource(service.scalable_target_id)
    new, old = _bounds(counts), _bounds(current)
    managed = managed.with_props({**managed.spec.props, **new})
    with service.reporting_update(service.scalable_target_id):
        service.update(managed, *(Difference(key, old[key], new[key]) for key in new))
        executor.wait_and_confirm(managed, updated=True, on_read=lambda _doc: None)


def _bounds(counts: Counts) -> dict[str, int]:
    """Return counts as the properties of a scalable target."""
    return {"MinCapacity": counts.minimum, "MaxCapacity": counts.maximum}


def _print_counts(run: ServiceRun, counts: Counts) -> None:
    """Print the counts, and which command gives them back to the settings."""
    title, session = run.service.title, run.session
    sentence = f"{title} is scaled {_bounds_in_words(counts)}."
    run.console.data_or_record(sentence, "scale", service=title, **json_fields(counts))
    apply_command = session.options.workspace.command("apply", session.suffix)
    run.console.note(f"`apply` leaves it so; `{apply_command} --take counts` brings the settings' counts back.")


def _bounds_in_words(counts: Counts) -> str:
    """Return the counts as "between 2 and 7 tasks"."""
    return f"between {counts.minimum} and {amount(counts.maximum, 'task')}"
