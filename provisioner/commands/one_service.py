"""One service of a stack: which it is, what it runs, and its changes, each written into the state."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from provisioner.engine.execution.events import Event
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.teardown import target_in
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.planner import Change
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.errors import Incomplete, UsageError
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.revisions import Running, is_same, registered, revision, running
from provisioner.session import Session
from provisioner.settings.shipped import Counts
from provisioner.steps.ecs import CONTAINER
from state.stack_state import ResourceState, StackState

_SERVICE, _TASK, _SCALING = "service", "task", "scaling"
# The intent of a rollback in the state; the revision's ARN follows.
_BACK = "go back to "


@dataclass(frozen=True)
class OneService:
    """One service; `name` is its name in the settings, "" for the main one."""

    session: Session
    hands: ResourceExecutor
    name: str

    @property
    def title(self) -> str:
        """The name of the service as `--service` takes it."""
        return self.name or CONTAINER

    @property
    def node(self) -> str:
        """The logical name of the service."""
        return self.named(_SERVICE)

    @property
    def task(self) -> str:
        """The logical name of its task definition."""
        return self.named(_TASK)

    @property
    def scaling(self) -> str:
        """The logical name of its scalable target."""
        return self.named(_SCALING)

    @property
    def aws_name(self) -> str:
        """The name of the service in AWS."""
        return self.entry.aws_name

    @property
    def cluster(self) -> str:
        """The name of its cluster."""
        return self.session.document.resources["cluster"].aws_name

    @property
    def entry(self) -> ResourceState:
        """The state of the service."""
        return self.session.document.resources[self.node]

    def named(self, noun: str) -> str:
        """Return the logical name of one of the service's resources."""
        return f"{noun}.{self.name}" if self.name else noun

    def running(self) -> Running:
        """Return the service as AWS describes it, with the revision that it is to run now.

        Raises:
            Incomplete: AWS has no such service.

        """
        now = running(self.session.clients, self.cluster, self.aws_name)
        if now is None:
            raise self.absent()
        return now

    @property
    def wanted(self) -> int:
        """The number of tasks that the service is to run now."""
        return int(self.running().service["desiredCount"])

    def absent(self, what: str = "") -> Incomplete:
        """Return the error that the service, or else `what`, does not exist."""
        again = self.session.where.workspace.command("apply", self.session.suffix)
        return Incomplete(f"{what or f'The service {self.aws_name}'} is not there.", f"`{again}` makes it.")

    def mark(self, now: Running, marks: Mapping[str, str]) -> None:
        """Tag the service with who chose what, before the choice takes effect; this may be repeated."""
        managed = self._target(self.node)
        managed = replace(managed, spec=replace(managed.spec, tags={**managed.spec.tags, **marks}))
        new = [
            Difference(f"Tags.{key}", now.tags.get(key), value)
            for key, value in marks.items()
            if now.tags.get(key) != value
        ]
        was, state_manager = self.entry, self.hands.state_manager
        if new:
            self.hands.update(managed, _change(managed, *new))
        if _is_open(was):
            state_manager.record_adopted(self.node, replace(self.entry, intent=was.intent))
        elif new or was.phase != "ready":
            state_manager.record_ready(self.node)

    def register(self, props: JsonObject) -> str:
        """Return the ARN of a revision with these properties: the newest if it has them, else a new one."""
        newest = revision(self.session.clients, props["family"])
        if is_same(props, newest):
            return str(newest["taskDefinitionArn"])
        managed = self._target(self.task).with_props(props).with_id("")
        self.hands.listen(Event("starting", self.task, "create"))
        arn = str(self.hands.create(managed)["taskDefinitionArn"])
        self.hands.state_manager.record_ready(self.task)
        self.hands.listen(Event("ready", self.task, "create", id=arn))
        return arn

    @contextmanager
    def told(self, action: str) -> Iterator[None]:
        """Report that a change of the service starts, and at the end of the block that it went well."""
        self.hands.listen(Event("starting", self.node, action))
        yield
        self.hands.listen(Event("ready", self.node, action, id=self.entry.id))

    def roll(self, arn: str) -> None:
        """Update the service to a revision; if called twice, AWS begins one deployment."""
        managed = self._target(self.node)
        was = managed.spec.props["taskDefinition"]
        managed = managed.with_props({**managed.spec.props, "taskDefinition": arn})
        self.hands.update(managed, _change(managed, Difference("taskDefinition", was, arn)))

    def intend_to_go_back(self, arn: str) -> None:
        """Record in the state of the task definition that a rollback to a revision is about to begin."""
        resource_state = self.session.document.resources.get(self.task) or self._task_entry()
        self.hands.state_manager.record_intent(self.task, f"{_BACK}{arn}", replace(resource_state))

    @property
    def goes_back_to(self) -> str:
        """The revision of an interrupted rollback; "" if there is none, or another run has ended it."""
        task = self.session.document.resources.get(self.task)
        intent = task.intent if task else None
        is_open = intent is not None and intent.action.startswith(_BACK) and self.entry.phase != "ready"
        return intent.action.removeprefix(_BACK) if intent and is_open else ""

    def counts(self) -> Counts:
        """Return the minimum and maximum number of tasks now.

        Raises:
            Incomplete: The service has no scalable target.

        """
        doc = self.hands.read(self._target(self.scaling))
        if doc is None:
            raise self.absent(f"The scaling of {self.aws_name}")
        return Counts(doc["MinCapacity"], doc["MaxCapacity"])

    def bound(self, was: Counts, counts: Counts) -> None:
        """Set the minimum and maximum number of tasks; the call is an upsert, so it may be repeated."""
        managed = self._target(self.scaling)
        new = {"MinCapacity": counts.minimum, "MaxCapacity": counts.maximum}
        old = {"MinCapacity": was.minimum, "MaxCapacity": was.maximum}
        managed = managed.with_props({**managed.spec.props, **new})
        if new != old:
            self.hands.listen(Event("starting", self.scaling, "update"))
            self.hands.update(managed, _change(managed, *(Difference(k, old[k], new[k]) for k in new)))
            self.hands.wait_and_confirm(managed, updated=True, actual=lambda _doc: None)
            self.hands.listen(Event("ready", self.scaling, "update", id=managed.spec.id))
            return
        known_state = self.session.document.resources[self.scaling]
        if known_state.phase != "ready":  # an interrupted run, whose call reached AWS
            self.hands.state_manager.record_adopted(
                self.scaling, replace(known_state, desired={**known_state.desired, **new})
            )
            self.hands.state_manager.record_ready(self.scaling)

    def settle(self) -> Running:
        """Record what the service runs: the revision asked for, or the one that ECS rolled back to."""
        now, state_manager = self.running(), self.hands.state_manager
        props = to_recorded(registered(now.revision), state_manager.salt)
        task = replace(state_manager.get(self.task) or self._task_entry(), id=now.arn, desired=props, intent=None)
        state_manager.record_adopted(self.task, task)
        state_manager.record_ready(self.task)
        wanted = {**self.entry.desired, "taskDefinition": now.arn}
        state_manager.record_adopted(self.node, replace(self.entry, desired=wanted, intent=None))
        state_manager.record_ready(self.node)
        return now

    def _task_entry(self) -> ResourceState:
        """Return a new state of the task definition, for a state file that lacks it."""
        return ResourceState("TaskDefinition", "", self.entry.step, self.entry.region)

    def _target(self, logical_id: str) -> ManagedResource:
        """Return a resource of the service for the executor; raise Incomplete if the state lacks it."""
        state = self.session.document
        if logical_id not in state.resources:
            raise self.absent(f"The resource {logical_id}")
        return target_in(state, logical_id, RESOURCE_TYPES)


def _is_open(resource_state: ResourceState) -> bool:
    """Return whether an interrupted run had more to do than to tag: the run that goes on needs to know."""
    more = resource_state.intent is not None and resource_state.intent.action != "update"
    return resource_state.phase != "ready" and (more or resource_state.desired != resource_state.recorded)


def _change(managed: ManagedResource, *differences: Difference) -> Change:
    """Return the change that sets these differences."""
    spec = managed.spec
    return Change(
        "update", spec.logical_id, str(managed.type), spec.aws_name, managed.step, spec.id, tuple(differences)
    )


def one_service(session: Session, title: str) -> OneService:
    """Return the service of that name; `api` and "" mean the main one.

    Raises:
        UsageError: The stack has no such service.
        Incomplete: The stack has no service yet.

    """
    known = names_in(session.document)
    name = "" if title in ("", CONTAINER) else title
    if name and name not in known:
        near = difflib.get_close_matches(title, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known) or 'none yet'}."
        raise UsageError(f"The stack {session.suffix} has no service {title}.", hint)
    one = OneService(session, session.hands(), name)
    resource_state = session.document.resources.get(one.node)
    if resource_state is None or not resource_state.id or "cluster" not in session.document.resources:
        again = session.where.workspace.command("apply", session.suffix)
        raise Incomplete(f"The stack {session.suffix} has no service yet.", f"`{again}` makes it.")
    return one


def names_in(state: StackState) -> list[str]:
    """Return the values that `--service` may have."""
    parts = (
        name.partition(".") for name, resource_state in state.resources.items() if resource_state.type_name == "Service"
    )
    return [name or CONTAINER for _, _, name in parts]
