"""The parameters of every create call, caught before they are sent and held against botocore's model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from provisioner.engine.clients import Clients
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan, look_up, target_of
from provisioner.engine.refs import Doc, Unknown, Veiled, resolve
from provisioner.preflight.finding import Finding
from provisioner.preflight.shapes import UNKNOWN, Fault, faults

_READS = ("describe_", "get_", "list_")
_TOKEN = "0" * 32


class Caught(BaseException):
    """The call that a create would make, instead of the call itself."""

    def __init__(self, operation: str, params: Doc) -> None:
        super().__init__(operation)
        self.operation = operation
        self.params = params


class Blank(dict[str, Any]):
    """The answer of a read that is not made: all that is asked of it is blank."""

    def __missing__(self, _key: str) -> Blank:
        return Blank()


class Catcher:
    """Stands for a client: reads answer blank, and the first other call is caught."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            if operation.startswith(_READS):
                return Blank()
            raise Caught(operation, params)

        return call


@dataclass(frozen=True)
class Call:
    """A create call that would be made."""

    operation: str
    params: Doc


def parameters(made: Plan, clients: Clients) -> Iterator[Finding]:
    """What AWS's model refuses of the creates of a plan; makes no call."""
    for node in made.stack:
        if made.changes[node.name].verb in ("create", "replace") and (call := create_call(made, node)):
            for fault in _faults(clients, node, call):
                yield Finding(
                    f"{node.piece}/{node.name}",
                    f"{call.operation}: {fault.path} {fault.words}",
                    "" if fault.certain else "The model may be older than AWS: this does not block.",
                    blocks=fault.certain,
                )


def create_call(made: Plan, node: Node) -> Call | None:
    """The call by which a node would be made; None where a stand-in for an unknown value leads nowhere."""
    wanted = stood_in(resolve(node.props, lambda ref: look_up(made, ref)))
    target = target_of(node, made.stack.suffix, None, wanted)
    try:
        node.kind.create(Catcher(), replace(target.it, token=_TOKEN))
    except Caught as caught:
        return Call(caught.operation, caught.params)
    except (TypeError, ValueError, LookupError, AttributeError):
        return None
    return None


def stood_in(value: Any) -> Any:
    """`value` with a stand-in for all that is not known, and for every secret."""
    match value:
        case Unknown() | Veiled():
            return UNKNOWN
        case Mapping():
            return {key: stood_in(inner) for key, inner in value.items()}
        case list() | tuple():
            return [stood_in(inner) for inner in value]
        case _:
            return value


def _faults(clients: Clients, node: Node, call: Call) -> Iterator[Fault]:
    meta = clients.aws.client(node.kind.service, node.region).meta
    if name := meta.method_to_api_mapping.get(call.operation):
        yield from faults(meta.service_model.operation_model(name).input_shape, call.params)
