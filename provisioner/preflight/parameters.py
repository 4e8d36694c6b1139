"""Check of the parameters of a plan's calls, captured before they are sent, against botocore's model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.diff import update_of
from provisioner.engine.planning.plan import Plan, managed_resource_of
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, SecretValue, Unknown
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.preflight.finding import Finding, address_of
from provisioner.preflight.shapes import MISSING, UNKNOWN, ShapeViolation, shape_violations

_READS = ("describe_", "get_", "list_")
_TOKEN = "0" * 32


class CapturedCall(BaseException):
    """Raised by `CallCapture` in place of a call; `call` is the call that would have been made."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.operation)
        self.call = call


class BlankResponse(dict[str, Any]):
    """The answer of a read that is not made: every member that is asked for is another blank answer."""

    def __missing__(self, _key: str) -> BlankResponse:
        return BlankResponse()


class CallCapture:
    """A stand-in for a client: reads return a blank answer, and the first other call raises `CapturedCall`."""

    def __init__(self) -> None:
        self._reads = False

    @property
    def one_page(self) -> CallCapture:
        """Itself: how much of a list is read makes no difference to a blank answer."""
        return self

    def up_to(self, _max_items: int) -> CallCapture:
        """Return itself, for the same reason."""
        return self

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            if operation.startswith(_READS):
                self._reads = True
                return BlankResponse()
            raise CapturedCall(Call(operation, with_placeholders(params), merged_with_read=self._reads))

        return call


@dataclass(frozen=True)
class Call:
    """A call that would be made.

    With `merged_with_read`, its parameters are merged with the result of a read, so members may be missing
    here.
    """

    operation: str
    params: JsonObject
    merged_with_read: bool = False


def check_parameters(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield what botocore's model refuses in the creates and updates of a plan; makes no call."""
    for resource in plan.stack:
        for call in _planned_calls(plan, resource):
            for violation in _violations(clients, resource, call):
                yield Finding(
                    address_of(resource),
                    f"{call.operation}: {violation.path} {violation.description}",
                    "" if violation.is_certain else "The model may be older than AWS: this does not block.",
                    is_blocking=violation.is_certain,
                )


def _planned_calls(plan: Plan, resource: Resource) -> Iterator[Call]:
    """Yield the calls that a plan would make to create or update a resource."""
    action = plan.changes[resource.logical_id].action
    calls: list[Call | None] = []
    if action in ("create", "replace"):
        calls = [create_call(plan, resource)]
    elif action == "update":
        calls = update_calls(plan, resource)
    yield from (call for call in calls if call)


def create_call(plan: Plan, resource: Resource) -> Call | None:
    """Return the call that would create a resource.

    Return None if the method of the type fails on the placeholder of a value that is not known yet.
    """
    spec = replace(_spec_of(plan, resource), token=_TOKEN)
    return _capture_call(lambda: resource.type.create(CallCapture(), spec))


def update_calls(plan: Plan, resource: Resource) -> list[Call | None]:
    """Return the first call that would change a resource, and the first one that would change its tags."""
    change, resource_type = plan.changes[resource.logical_id], resource.type
    # The actual resource is read right before the call, and supplies what the call lacks here.
    live = BlankResponse(exists=True) if resource_type.replacing_calls else {}
    spec = replace(_spec_of(plan, resource), id=UNKNOWN, live=live)
    update = update_of(resource_type, spec.props, change.differences)
    calls: list[Call | None] = []
    if update.changes_properties:
        call = _capture_call(lambda: resource_type.update(CallCapture(), spec, update.changed))
        calls.append(replace(call, merged_with_read=True) if call and resource_type.replacing_calls else call)
    if update.tags:
        to_set, to_remove = update.tags_to_set, update.tags_to_remove
        calls.append(_capture_call(lambda: resource_type.retag(CallCapture(), spec, to_set, to_remove)))
    return calls


def _spec_of(plan: Plan, resource: Resource) -> ResourceSpec:
    """Return a resource as a method of its type gets it, with placeholders for unknown values."""
    properties = with_placeholders(plan.resolved_properties(resource))
    return managed_resource_of(resource, plan.stack.suffix, None, properties).spec


def _capture_call(method: Callable[[], object]) -> Call | None:
    """Return the first call that `method` makes; None if it makes none, or fails on a placeholder."""
    try:
        method()
    except CapturedCall as captured:
        return captured.call
    except (TypeError, ValueError, LookupError, AttributeError):
        return None
    return None


def with_placeholders(value: Any) -> Any:
    """Return `value` with a placeholder for every secret and for everything unknown or not read."""
    match value:
        case Unknown() | SecretValue() | BlankResponse():
            return UNKNOWN
        case Mapping():
            return {key: with_placeholders(inner) for key, inner in value.items()}
        case list() | tuple():
            return [with_placeholders(inner) for inner in value]
        case _:
            return value


def _violations(clients: Clients, resource: Resource, call: Call) -> Iterator[ShapeViolation]:
    """Yield what botocore's model refuses in a call, except missing members that a read would supply."""
    meta = clients.aws.client(resource.type.service, resource.region).meta
    if operation := meta.method_to_api_mapping.get(call.operation):
        shape = meta.service_model.operation_model(operation).input_shape
        for violation in shape_violations(shape, call.params):
            if not (call.merged_with_read and violation.description == MISSING):
                yield violation
