"""The AWS operations that a kind's verbs call, read from their source."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

from provisioner import service_clients
from provisioner.engine.types.resource_type import ResourceType

# Every method of a kind that is handed a client.
VERBS = tuple(
    name
    for name, verb in vars(ResourceType).items()
    if inspect.isfunction(verb) and list(inspect.signature(verb).parameters)[1:2] == ["client"]
)
Found = set[tuple[str, str]]


@functools.cache
def operations(service: str) -> dict[str, str]:
    """Each operation of a service by the name that its client's method has."""
    model = botocore.session.Session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def calls_in(resource_type: type[ResourceType], verb: str) -> Found:
    """Each (service, operation) that a verb calls, through whatever it hands its client on to."""
    function = getattr(resource_type, verb)
    if getattr(ResourceType, verb) is function:
        return set()
    return _Reader(resource_type).of(function, {_client_of(function): resource_type.service})


def _client_of(function: Callable[..., Any]) -> str:
    return list(inspect.signature(function).parameters)[1]


class _Reader:
    """Follows clients through functions; each function once."""

    def __init__(self, resource_type: type[ResourceType]) -> None:
        self.kind = resource_type
        self.seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def of(self, function: Callable[..., Any], clients: dict[str, str]) -> Found:
        """What a function calls of the clients among its parameters."""
        mark = (function.__module__ + function.__qualname__, tuple(sorted(clients.items())))
        if mark in self.seen:
            return set()
        self.seen.add(mark)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        found: Found = set()
        found |= {called for node in ast.walk(tree) for called in _direct(node, clients)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            handed = {at: clients[a.id] for at, a in _named(call) if a.id in clients}
            if handed and (callee := self._callee(function, call.func)):
                names = [name for name in inspect.signature(callee).parameters if name != "self"]
                given = {
                    name if isinstance(at, str) else names[at]: service
                    for at, service in handed.items()
                    for name in [str(at)]
                }
                found |= self.of(callee, given)
        return found

    def _callee(self, inside: Callable[..., Any], func: ast.expr) -> Callable[..., Any] | None:
        match func:
            case ast.Name(id=name):
                found = inside.__globals__.get(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                found = getattr(self.kind, name, None)
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                found = self._above(inside, name)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                found = getattr(inside.__globals__.get(module), name, None)
            case _:
                found = None
        return found if inspect.isfunction(found) else None

    def _above(self, inside: Callable[..., Any], name: str) -> Any:
        mro = list(self.kind.__mro__)
        owner = next(cls for cls in mro if inside in vars(cls).values())
        return next((vars(cls)[name] for cls in mro[mro.index(owner) + 1 :] if name in vars(cls)), None)


def _named(call: ast.Call) -> Iterator[tuple[int | str, ast.Name]]:
    yield from ((at, a) for at, a in enumerate(call.args) if isinstance(a, ast.Name))
    yield from ((k.arg, k.value) for k in call.keywords if k.arg and isinstance(k.value, ast.Name))


def _direct(node: ast.AST, clients: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The operation that a node names of one of the clients, called here or handed on to be called."""
    if isinstance(node, ast.Attribute) and isinstance(client := _without_limits(node.value), ast.Name):
        service = clients.get(client.id, "")
        if service and node.attr in operations(service):
            yield service, operations(service)[node.attr]


def _without_limits(value: ast.expr) -> ast.expr:
    """The client of `client.one_page` and of `client.up_to(...)`; anything else as it is."""
    match value:
        case ast.Attribute(value=client, attr="one_page") | ast.Call(func=ast.Attribute(value=client, attr="up_to")):
            return client
    return value


def lookups_in(path: Path) -> Found:
    """Each (service, operation) that a module calls of a client which it takes by its service."""
    found: Found = set()
    tree = ast.parse(path.read_text())
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        taken = {
            target.id: service
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and (service := _service(node.value))
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute):
                client = _without_limits(node.value)
                service = taken.get(client.id, "") if isinstance(client, ast.Name) else _service(client)
                if service and node.attr in operations(service):
                    found.add((service, operations(service)[node.attr]))
    return found


def _service(value: ast.AST) -> str:
    """The service of `....client(EC2)`, `sibling_client(..., EC2)` or `....client("ec2")`, "" for anything else."""
    match value:
        case ast.Call(func=ast.Attribute(attr="client"), args=[ast.Constant(value=str(service)), *_]):
            return service
        case (
            ast.Call(func=ast.Attribute(attr="client"), args=[ast.Name(id=name), *_])
            | ast.Call(func=ast.Name(id="sibling_client"), args=[_, ast.Name(id=name), *_])
        ) if name in vars(service_clients):
            return str(vars(service_clients)[name].service_name)
    return ""
