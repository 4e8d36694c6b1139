"""A run that changes one service: alone at work on the stack, recorded, and what such runs have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.previous_deployments import PreviousDeployments
from provisioner.commands.rollout import RolloutFollower, interruptible
from provisioner.commands.run_recording import record_run, without_other_runs
from provisioner.commands.service_controller import ServiceController, service_controller
from provisioner.commands.smoke_test import run_smoke_test
from provisioner.engine.execution.events import Event
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.resources.ecs.revisions import RunningRevision, revision_number
from provisioner.resources.ecs.rollouts import force_new_deployment
from provisioner.session import Session
from provisioner.terminal.console import Console


@dataclass(frozen=True)
class RolloutOptions:
    """The options that every command has that rolls a revision out: of which service, and how that goes."""

    confirmation: Confirmation
    service: str = ""
    lock_timeout: float = 0.0
    fail_fast: bool = False
    smoke: bool = True


@dataclass(frozen=True)
class ServiceRun:
    """A run that changes one service, with the console and the record that hear of it."""

    console: Console
    service: ServiceController
    record: RunRecorder

    @property
    def session(self) -> Session:
        """The session of the service's stack."""
        return self.service.session

    def record_events(self) -> None:
        """Make the record hear the changes of the service, its task definition and its scaling."""
        service = self.service
        for logical_id in (service.task_definition_id, service.logical_id, service.scalable_target_id):
            known = self.session.state.resources.get(logical_id)
            if known:
                self.record.add_resource(logical_id, known.type_name, known.region, known.step, [])
        self.session.events.subscribe(self.record.record_event)

    def roll_out(self, running: RunningRevision, arn: str, options: RolloutOptions) -> None:
        """Update the service to a revision, unless that is under way; follow the rollout, record and test its end."""
        service, is_same = self.service, running.arn == arn
        under_way = is_same and not running.has_failed
        before = PreviousDeployments.read(service, running, arn, under_way=under_way, fail_fast=options.fail_fast)
        follower = RolloutFollower(self.console, service, before, options.fail_fast)
        service.executor.publish(Event("exists", service.task_definition_id, "update", id=arn))
        with service.reporting_update():
            if not is_same:
                service.deploy_revision(arn)
            elif running.has_failed:
                self.force_new_deployment(running)
            follower.follow(arn)
            service.record_revision()
        if options.smoke:
            run_smoke_test(self.console, service)

    def force_new_deployment(self, running: RunningRevision) -> None:
        """Force one deployment with new tasks of the running revision."""
        cluster, aws_name = self.service.cluster, self.service.aws_name
        force_new_deployment(self.session.clients, cluster, aws_name, str(running.primary["id"]))

    def confirm_unchanged(self, running: RunningRevision, tags: Mapping[str, str], *, smoke: bool) -> None:
        """Tag the service, record the revision that it runs already, and run the smoke test if asked to.

        An earlier run may have been interrupted before it did so.
        """
        with interruptible(self.console, self.service, f"looking at {self.service.aws_name}"):
            self.service.tag_overrides(running, tags)
            self.service.record_revision()
            if smoke:
                run_smoke_test(self.console, self.service)

    def print_revision(self, arn: str, image: str) -> None:
        """Print what the service runs now."""
        title, revision = self.service.title, revision_number(arn)
        runs = {"service": title, "revision": revision, "arn": arn, "image": image}
        self.console.data_or_record(f"{title} runs {image} (revision {revision}).", "release", **runs)


@contextmanager
def service_run(
    console: Console, session: Session, command: str, title: str, lock_timeout: float
) -> Iterator[ServiceRun]:
    """Lock the stack, begin the record, and find the service; at the end of the block, release and save.

    Raises:
        LockHeld: Another run is at work on the stack, at the beginning, before a call, or at the end.
        UsageError: The stack has no service of that title.
        Incomplete: The stack has no service yet.

    """
    with (
        session.locked(command, lock_timeout),
        record_run(session, command) as record,
        without_other_runs(session),
    ):
        yield ServiceRun(console, service_controller(session, title), record)
