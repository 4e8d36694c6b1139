"""The listener: a port of a load balancer."""

from __future__ import annotations

from collections.abc import Mapping, Set

from provisioner.aws.responses import created_resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.elbv2 import listener_unmanaged
from provisioner.resources.elbv2.base import (
    LISTENER_NOT_FOUND,
    LOAD_BALANCER_NOT_FOUND,
    REPLACEMENT_TARGET_KEY,
    ElbResourceType,
)
from provisioner.resources.elbv2.listener_actions import (
    SHIFTED_BY_KEY,
    actions_at,
    actions_with_deposed,
    groups_with_weight,
    normalize_action,
    normalize_condition,
    target_group_weights,
    with_traffic_shift,
)
from provisioner.resources.field_owners.elbv2 import LISTENER
from provisioner.resources.origin_key import requires_key
from provisioner.resources.tags import pairs
from provisioner.service_clients import ELBV2


class Listener(ElbResourceType):
    """A listener: a port of a load balancer, with the action for requests that no rule matches."""

    container_property, deleted_with_container, deleted_at_reply = "LoadBalancerArn", True, True
    id_paths, noun = "ListenerArn", "listener"
    pricing = FREE
    ownership = LISTENER
    unique_properties = ("LoadBalancerArn", "Port")
    field_owners = {"DefaultActions": FieldOwner("{ShiftedBy}", shown_by=SHIFTED_BY_KEY)}
    lookup_properties = ("LoadBalancerArn",)
    immutable = frozenset({"LoadBalancerArn"})
    not_found_codes = LISTENER_NOT_FOUND | LOAD_BALANCER_NOT_FOUND
    already_exists_codes = codes("DuplicateListener")
    # A certificate that is seconds old is unknown here (terraform-provider-aws elbv2/listener.go: 5 min).
    retryable_codes = {"create": codes("CertificateNotFound"), "delete": codes("ResourceInUse")}
    deleted_alongside = frozenset({"Distribution"})
    iam_type, arn_properties = "listener/app", ("{LoadBalancerArn}",)
    # Changed header attributes are set back. A rule that nobody declared is only reported.
    owns_children = True
    operations = declare_operations(
        unmanaged=f"DescribeRules {listener_unmanaged.READ_OPERATIONS}",
        remove_unmanaged=listener_unmanaged.CHANGE_OPERATIONS,
        read="DescribeListeners DescribeRules DescribeTags",
        create="CreateListener",
        update="ModifyListener",
        delete="DeleteListener",
    )

    def read(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject | None:
        """Return the listener by its ARN if known, else by its port (DescribeListeners).

        If ECS shifts its traffic, the members of `with_traffic_shift` are added.
        """
        listeners = elbv2.describe_listeners(LoadBalancerArn=spec.props["LoadBalancerArn"])["Listeners"]
        listener = next((each for each in listeners if each["ListenerArn"] == spec.id), None)
        listener = listener or next((each for each in listeners if each["Port"] == spec.props["Port"]), None)
        if listener is None:
            return None
        weights = target_group_weights(listener["DefaultActions"])
        declared = target_group_weights(spec.props.get("DefaultActions", []))
        rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"] if declared else []
        marked = with_traffic_shift(elbv2, spec, listener, weights, declared, rules)
        return self.with_tags(elbv2, marked)

    def create(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject:
        """Create the listener (CreateListener)."""
        return dict(created_resource(elbv2.create_listener(**spec.props, Tags=pairs(spec.tags)), "Listeners"))

    def update(self, elbv2: ELBV2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the listener (ModifyListener)."""
        elbv2.modify_listener(ListenerArn=spec.id, **changed)

    def unmanaged(
        self, elbv2: ELBV2, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return rules with undeclared priorities, changed header attributes and extra certificates."""
        priorities = children.values("Priority")
        last = max((int(priority) for priority in priorities), default=0)
        rules = [each for each in elbv2.describe_rules(ListenerArn=spec.id)["Rules"] if not each["IsDefault"]]
        # An emulator may list the default action again, as a rule with the priority "default".
        undeclared = [each for each in rules if each["Priority"] not in {*priorities, "default"}]
        return [
            *(Unmanaged(_describe_rule(rule), rule, _reason_to_keep(rule, last)) for rule in undeclared),
            *listener_unmanaged.changed_header_attributes(elbv2, spec.id),
            *listener_unmanaged.extra_certificates(elbv2, spec.id, actual),
        ]

    def remove_unmanaged(self, elbv2: ELBV2, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Set a changed header attribute back (ModifyListenerAttributes)."""
        listener_unmanaged.reset_attribute(elbv2, spec, unmanaged.request)

    def delete(self, elbv2: ELBV2, spec: ResourceSpec) -> None:
        """Delete the listener with its rules (DeleteListener)."""
        elbv2.delete_listener(ListenerArn=spec.id)

    def initial_properties(self, desired: JsonObject, serving: Set[str], deposed: Mapping[str, str]) -> JsonObject:
        """Return the properties to create the listener with: it forwards to the deposed target group at first.

        `deposed` maps a new target group to the deposed one that it replaces.
        """
        return {**desired, "DefaultActions": actions_with_deposed(desired["DefaultActions"], deposed)}

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the properties of the listener in a phase of a cutover."""
        declared, actions = desired["DefaultActions"], actual["DefaultActions"]
        if phase > CutoverPhase.JOIN and REPLACEMENT_TARGET_KEY in actual:
            # ECS may have shifted its own rule to the other group since.
            return {**desired, "DefaultActions": actions_with_deposed(declared, actual[REPLACEMENT_TARGET_KEY])}
        if SHIFTED_BY_KEY in actual:
            return desired
        # The listener stays open until its rules ask for CloudFront's key, which they do from SHIFT on.
        closes = declared[0]["Type"] == "fixed-response" and bool(groups_with_weight(actions))
        if phase <= CutoverPhase.SHIFT and closes:
            return {**desired, "DefaultActions": actions}
        return {**desired, "DefaultActions": actions_at(phase, declared, actions)}

    def routes_to(self, actual: JsonObject) -> list[str]:
        """Return the target groups to which the default action gives any weight."""
        return groups_with_weight(actual.get("DefaultActions", []))

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return the listener with its actions in normal form."""
        return {**actual, "DefaultActions": [normalize_action(action) for action in actual.get("DefaultActions", [])]}


def _describe_rule(rule: JsonObject) -> str:
    """Return priority and condition values of a rule, for a message; CloudFront's key is left out."""
    conditions = [normalize_condition(condition) for condition in rule["Conditions"] if not requires_key(condition)]
    values = [str(value) for condition in conditions for value in (*condition["Values"], *condition["RegexValues"])]
    return f"rule {rule['Priority']} for {' '.join(values)}".rstrip()


def _reason_to_keep(rule: JsonObject, last: int) -> str:
    """Return why an undeclared rule is left alone; `last` is the highest priority that is declared."""
    if int(rule["Priority"]) < last:
        return "it takes no priority of ours, though it is asked before some of our rules"
    return "it is asked after all of our rules"
