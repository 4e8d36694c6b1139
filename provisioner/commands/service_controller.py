"""One service of a stack: which it is, what it runs, and its changes, each written into the state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from provisioner.commands.stack_services import MAIN_SERVICE, service_state
from provisioner.engine.execution.events import Event
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.errors import Incomplete
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.revisions import (
    RunningRevision,
    is_same_revision,
    read_revision,
    read_running_revision,
    registration_arguments,
)
from provisioner.resources.ecs.run_revisions import run_family
from provisioner.session import Session
from state.stack_state import ResourceState

_SERVICE, _TASK, _SCALING = "service", "task", "scaling"


@dataclass(frozen=True)
class ServiceController:
    """One service; `name` is its name in the settings, "" for the main one."""

    session: Session
    executor: ResourceExecutor
    name: str

    @property
    def title(self) -> str:
        """The name of the service as `--service` takes it."""
        return self.name or MAIN_SERVICE

    @property
    def logical_id(self) -> str:
        """The logical name of the service."""
        return self.part_id(_SERVICE)

    @property
    def task_definition_id(self) -> str:
        """The logical name of its task definition."""
        return self.part_id(_TASK)

    @property
    def scalable_target_id(self) -> str:
        """The logical name of its scalable target."""
        return self.part_id(_SCALING)

    @property
    def aws_name(self) -> str:
        """The name of the service in AWS."""
        return self.resource_state.aws_name

    @property
    def cluster(self) -> str:
        """The name of its cluster."""
        return self.session.state.resources["cluster"].aws_name

    @property
    def resource_state(self) -> ResourceState:
        """The state of the service."""
        return self.session.state.resources[self.logical_id]

    def command(self, words: str) -> str:
        """Return the command line of one of our commands about this service, as a user types it."""
        service_option = f" --service {self.name}" if self.name else ""
        return self.session.options.workspace.command(f"{words}{service_option}", self.session.suffix)

    @property
    def task_definition_state(self) -> ResourceState:
        """The state of its task definition; a new one for a state file that lacks it."""
        known = self.session.state.resources.get(self.task_definition_id)
        return known or ResourceState("TaskDefinition", "", self.resource_state.step, self.resource_state.region)

    @property
    def run_family(self) -> str:
        """The family of the revisions that `run --image` registers for the service."""
        return run_family(self.name, self.session.suffix)

    def part_id(self, noun: str) -> str:
        """Return the logical name of one of the service's resources."""
        return f"{noun}.{self.name}" if self.name else noun

    def running(self) -> RunningRevision:
        """Return the service as AWS describes it, with the revision that it is to run now.

        Raises:
            Incomplete: AWS has no such service.

        """
        running_revision = read_running_revision(self.session.clients, self.cluster, self.aws_name)
        if running_revision is None:
            raise self.missing_error()
        return running_revision

    @property
    def desired_count(self) -> int:
        """The number of tasks that the service is to run now."""
        return int(self.running().service["desiredCount"])

    def missing_error(self, missing: str = "") -> Incomplete:
        """Return the error that the service, or else `missing`, does not exist."""
        apply_command = self.session.options.workspace.command("apply", self.session.suffix)
        return Incomplete(f"{missing or f'The service {self.aws_name}'} is not there.", f"`{apply_command}` makes it.")

    def managed_resource(self, logical_id: str) -> ManagedResource:
        """Return a resource of the service for the executor; raise Incomplete if the state lacks it."""
        state = self.session.state
        if logical_id not in state.resources:
            raise self.missing_error(f"The resource {logical_id}")
        return recorded_resource(state, logical_id, RESOURCE_TYPES)

    def update(self, managed: ManagedResource, *new: Difference) -> None:
        """Update a resource of the service, which has the new values already; the differences say which they are."""
        spec = managed.spec
        change = Change("update", spec.logical_id, str(managed.type), spec.aws_name, managed.step, spec.id, new)
        self.executor.update(managed, change)

    def tag_overrides(self, running: RunningRevision, tags: Mapping[str, str]) -> None:
        """Tag the service with who chose what, before the choice takes effect; this may be repeated."""
        managed = self.managed_resource(self.logical_id)
        managed = replace(managed, spec=replace(managed.spec, tags={**managed.spec.tags, **tags}))
        new = [
            Difference(f"Tags.{key}", running.tags.get(key), value)
            for key, value in tags.items()
            if running.tags.get(key) != value
        ]
        resource_state, state_manager = self.resource_state, self.executor.state_manager
        if new:
            self.update(managed, *new)
        if _has_open_intent(resource_state):
            state_manager.record_adopted(self.logical_id, replace(self.resource_state, intent=resource_state.intent))
        elif new or resource_state.phase != "ready":
            state_manager.record_ready(self.logical_id)

    def register(self, props: JsonObject) -> str:
        """Return the ARN of a revision with these properties: the newest if it has them, else a new one."""
        newest = read_revision(self.session.clients, props["family"])
        if is_same_revision(props, newest):
            return str(newest["taskDefinitionArn"])
        managed = self.managed_resource(self.task_definition_id).with_props(props).with_id("")
        self.executor.publish(Event("starting", self.task_definition_id, "create"))
        arn = str(self.executor.create(managed)["taskDefinitionArn"])
        self.executor.state_manager.record_ready(self.task_definition_id)
        self.executor.publish(Event("ready", self.task_definition_id, "create", id=arn))
        return arn

    @contextmanager
    def reporting_update(self, logical_id: str = "") -> Iterator[None]:
        """Report when an update of the service starts and ends, or that of another of its resources."""
        updated_id = logical_id or self.logical_id
        self.executor.publish(Event("starting", updated_id, "update"))
        yield
        self.executor.publish(Event("ready", updated_id, "update", id=self.session.state.resources[updated_id].id))

    def deploy_revision(self, arn: str) -> None:
        """Update the service to a revision; if called twice, AWS begins one deployment."""
        managed = self.managed_resource(self.logical_id)
        former = managed.spec.props["taskDefinition"]
        managed = managed.with_props({**managed.spec.props, "taskDefinition": arn})
        self.update(managed, Difference("taskDefinition", former, arn))

    def record_revision(self) -> RunningRevision:
        """Record what the service runs: the revision asked for, or the one that ECS rolled back to."""
        running, state_manager = self.running(), self.executor.state_manager
        props = to_recorded(registration_arguments(running.task_definition), state_manager.salt)
        task = replace(
            self.task_definition_state,
            id=running.arn,
            desired=props,
            intent=None,
        )
        state_manager.record_adopted(self.task_definition_id, task)
        state_manager.record_ready(self.task_definition_id)
        desired = {**self.resource_state.desired, "taskDefinition": running.arn}
        state_manager.record_adopted(self.logical_id, replace(self.resource_state, desired=desired, intent=None))
        state_manager.record_ready(self.logical_id)
        return running


def _has_open_intent(resource_state: ResourceState) -> bool:
    """Return whether an interrupted run had more to do than to tag: the run that goes on needs to know."""
    more = resource_state.intent is not None and resource_state.intent.action != "update"
    return resource_state.phase != "ready" and (more or resource_state.desired != resource_state.recorded)


def service_controller(session: Session, title: str) -> ServiceController:
    """Return the service of that name; `api` and "" mean the main one.

    Raises:
        UsageError: The stack has no such service.
        Incomplete: The stack has no service yet.

    """
    service_state(session, title)
    service = ServiceController(session, session.executor(), "" if title == MAIN_SERVICE else title)
    if "cluster" not in session.state.resources:
        raise service.missing_error(f"The cluster of {service.aws_name}")
    return service
