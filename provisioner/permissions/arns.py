"""The ARNs, tags and conditions by which IAM recognises the resources of one stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import Ref, Unknown, resolve
from provisioner.iam import reference
from provisioner.iam.required_actions import RECORD_ACTIONS_KEY, RECORD_NAMES_KEY, normalized_record_name
from provisioner.names import PROJECT, name_pattern

# A condition of a grant, as tuples of operator, key and allowed values.
Condition = tuple[tuple[str, str, tuple[str, ...]], ...]
BOUNDARY = "PermissionsBoundary"


class CallTarget(NamedTuple):
    """A resource that a call concerns; `has_generated_id` if AWS chose its name, so that only its tags identify it."""

    arn: str
    has_generated_id: bool


@dataclass(frozen=True)
class StackArns:
    """The account, the region and the resources of one stack, and the ARNs that follow from them."""

    stack: Stack
    account: str
    partition: str = "aws"

    @property
    def boundaries(self) -> list[str]:
        """The ARNs of the permissions boundaries under which roles are declared."""
        return sorted({arn for resource in self.stack if (arn := self.property_text(resource, BOUNDARY))})

    def call_target(self, resource: Resource) -> CallTarget:
        """Return a declared resource as the target of a call."""
        return CallTarget(self.arn(resource), has_generated_id=not resource.type.arn_properties)

    def arn(self, resource: Resource) -> str:
        """Return the ARN of a declared resource, with `*` for a part that only AWS chooses."""
        prefix = reference.prefix_of(resource.type.service)
        return reference.arn(prefix, resource.type.iam_type, self._arn_values(resource), self.arn_location(resource))

    def _arn_values(self, resource: Resource) -> tuple[str, ...]:
        """Return the values for the placeholders of a resource's ARN, from the left."""
        values = {key: self._arn_value(value) for key, value in resource.props.items()}
        return tuple(template.format_map(values) for template in resource.type.arn_properties)

    def _arn_value(self, value: Any) -> str:
        """Return the text of one property in an ARN.

        A reference becomes the last placeholder of the other resource's ARN; an unknown value becomes `*`.
        """
        if isinstance(value, Ref):
            values = self._arn_values(self.stack.resources[value.logical_id])
            return values[-1] if values else "*"
        text = resolve(value, lambda _: "*")
        return name_pattern(text, self.stack.suffix) if isinstance(text, str) else "*"

    def arn_location(self, resource: Resource) -> dict[str, str]:
        """Return the partition, region and account of a resource's ARN, by the names of the placeholders."""
        return {"Partition": self.partition, "Region": resource.actual_region, "Account": self.account}

    def tags(self, key: str) -> Condition:
        """Return the condition that the stack's tags are there, under aws:RequestTag or aws:ResourceTag."""
        tags = {"Environment": self.stack.suffix, "Project": PROJECT}
        return tuple(("StringEquals", f"{key}/{name}", (value,)) for name, value in tags.items())

    def record_names(self, resource: Resource) -> Condition:
        """Return the condition for changes of DNS records.

        It allows creating and deleting records with the declared name, and the TXT record that marks the name
        as ours. If the name refers to a certificate, it allows the records by which ACM validates it.
        """
        name = resource.props["Name"]
        names = self._validation_record_names(name) if isinstance(name, Ref) else [name, f"_{PROJECT}.{name}"]
        return (
            ("ForAllValues:StringEquals", RECORD_ACTIONS_KEY, ("CREATE", "DELETE")),
            ("ForAllValues:StringLike", RECORD_NAMES_KEY, tuple(map(normalized_record_name, names))),
        )

    def _validation_record_names(self, name: Ref) -> list[str]:
        """Return patterns for the records by which ACM validates a certificate, one below each domain."""
        certificate = self.stack.resources[name.logical_id].props
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())]
        return [f"_*.{domain}" for domain in names]

    def property_text(self, resource: Resource, prop: str) -> str:
        """Return a property as text: the resource's own, else that of a resource it depends on, else ""."""
        resources = (resource, *(self.stack.resources[name] for name in resource.depends_on))
        values = (candidate.props.get(prop) for candidate in resources)
        return self.text_of(next(filter(None, values), ""))

    def text_of(self, value: Any) -> str:
        """Return a value as text, with the ARN of the other resource for each reference."""
        text = resolve(value, lambda ref: self.arn(self.stack.resources[ref.logical_id]))
        return "*" if isinstance(text, Unknown) else str(text)


def has_arn_type(resource: Resource, prefix: str, type_: str) -> bool:
    """Return whether IAM counts a declared resource as of this resource type, in the service `prefix`."""
    return resource.type.iam_type == type_ and reference.prefix_of(resource.type.service) == prefix
