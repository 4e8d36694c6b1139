"""Where a stack is, as its ARNs tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from provisioner.embedded import reference
from provisioner.embedded.besides import CHANGES, RECORDS, record_name
from provisioner.engine.graph import Node, Stack
from provisioner.engine.refs import Ref, Unknown, resolve
from provisioner.names import PROJECT, any_of

# Keys of a condition with what each must be: operator, key, values.
Condition = tuple[tuple[str, str, tuple[str, ...]], ...]
BOUNDARY = "PermissionsBoundary"


class Target(NamedTuple):
    """A resource that a call concerns; `by_id` where AWS chose its name, so that only tags tell it apart."""

    arn: str
    by_id: bool


@dataclass(frozen=True)
class Ground:
    """The account, the region and the resources of one stack."""

    stack: Stack
    account: str
    partition: str = "aws"

    @property
    def boundaries(self) -> list[str]:
        """The boundaries that roles are declared under."""
        return sorted({told for node in self.stack if (told := self.told(node, BOUNDARY))})

    def target(self, node: Node) -> Target:
        """A node's resource, as a call concerns it."""
        return Target(self.arn(node), by_id=not node.kind.fills)

    def arn(self, node: Node) -> str:
        """The ARN of a node's resource, `*` for what only AWS chooses."""
        prefix = reference.prefix_of(node.kind.service)
        return reference.arn(prefix, node.kind.resource, self._fills(node), self.place(node))

    def _fills(self, node: Node) -> tuple[str, ...]:
        values = {key: self._fill(value) for key, value in node.props.items()}
        return tuple(form.format_map(values) for form in node.kind.fills)

    def _fill(self, value: Any) -> str:
        if isinstance(value, Ref):
            return next(reversed(self._fills(self.stack.nodes[value.node])), "*")
        told = resolve(value, lambda _: "*")
        return any_of(told, self.stack.suffix) if isinstance(told, str) else "*"

    def place(self, node: Node) -> dict[str, str]:
        """What fills the partition, region and account of its ARN."""
        region = node.region or self.stack.region
        return {"Partition": self.partition, "Region": region, "Account": self.account}

    def tags(self, key: str) -> Condition:
        """That what bears this key's tags is this stack's."""
        own = {"Environment": self.stack.suffix, "Project": PROJECT}
        return tuple(("StringEquals", f"{key}/{name}", (value,)) for name, value in own.items())

    def records(self, node: Node) -> Condition:
        """The names under which a record of the stack's and its mark stand; they are made and deleted."""
        name = node.props["Name"]
        names = self._proofs(name) if isinstance(name, Ref) else [name, f"_{PROJECT}.{name}"]
        told = tuple(record_name(one) for one in names)
        return (
            ("ForAllValues:StringEquals", CHANGES, ("CREATE", "DELETE")),
            ("ForAllValues:StringLike", RECORDS, told),
        )

    def _proofs(self, name: Ref) -> list[str]:
        """Where ACM looks for the proof of a certificate's names: below each, by a word of its own."""
        certificate = self.stack.nodes[name.node].props
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())]
        return [f"_*.{one}" for one in names]

    def told(self, node: Node, prop: str) -> str:
        """A property that a role has, as text; of another node's, its ARN."""
        nodes = (node, *(self.stack.nodes[name] for name in node.needs))
        found = next((one.props[prop] for one in nodes if one.props.get(prop)), "")
        return self.text(found)

    def text(self, value: Any) -> str:
        """A value with the ARN of another node for each ref to one."""
        told = resolve(value, lambda ref: self.arn(self.stack.nodes[ref.node]))
        return "*" if isinstance(told, Unknown) else str(told)


def is_of(node: Node, prefix: str, type_: str) -> bool:
    """Whether IAM takes a node's resource for one of this type."""
    return (
        node.kind.resource == type_ and reference.PREFIXES.get(node.kind.service, node.kind.service) == prefix
    )
