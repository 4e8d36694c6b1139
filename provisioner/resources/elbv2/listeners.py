"""The listener: a port of a load balancer."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from provisioner.aws.responses import created_in
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.field_owners import FieldOwner
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
from provisioner.resources.origin_key import requires_key
from provisioner.resources.ownership.elbv2 import LISTENER
from provisioner.resources.tags import pairs


class Listener(ElbResourceType):
    """A listener: a port of a load balancer, with the action for requests that no rule matches."""

    id_paths, noun = "ListenerArn", "listener"
    ownership = LISTENER
    unique_properties = ("LoadBalancerArn", "Port")
    field_owners = {"DefaultActions": FieldOwner("{ShiftedBy}", description=SHIFTED_BY_KEY)}
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

    def read(self, elbv2: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the listener by its ARN if known, else by its port, marked if ECS shifts its traffic."""
        listed = elbv2.describe_listeners(LoadBalancerArn=spec.props["LoadBalancerArn"])["Listeners"]
        mine = next((actual for actual in listed if actual["ListenerArn"] == spec.id), None)
        mine = mine or next((actual for actual in listed if actual["Port"] == spec.props["Port"]), None)
        if mine is None:
            return None
        told, ours = (
            target_group_weights(mine["DefaultActions"]),
            target_group_weights(spec.props.get("DefaultActions", [])),
        )
        rules = elbv2.describe_rules(ListenerArn=mine["ListenerArn"])["Rules"] if ours else []
        marked = with_traffic_shift(elbv2, spec, mine, told, ours, rules)
        return self.with_tags(elbv2, marked)

    def create(self, elbv2: Any, spec: ResourceSpec) -> JsonObject:
        """Create the listener (CreateListener)."""
        return dict(created_in(elbv2.create_listener(**spec.props, Tags=pairs(spec.tags)), "Listeners"))

    def update(self, elbv2: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the listener (ModifyListener)."""
        elbv2.modify_listener(ListenerArn=spec.id, **changed)

    def unmanaged(self, elbv2: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return rules with undeclared priorities, changed header attributes and extra certificates."""
        places = children.values("Priority")
        listed = elbv2.describe_rules(ListenerArn=spec.id)["Rules"]
        # An emulator may list the default action again, as a rule with the priority "default".
        ours = {*places, "default"}
        others = [one for one in listed if not one["IsDefault"] and one["Priority"] not in ours]
        last = max((int(place) for place in places), default=0)
        rules = [Unmanaged(_describe_rule(one), one, _reason_to_keep(one, last)) for one in others]
        return [
            *rules,
            *listener_unmanaged.changed_header_attributes(elbv2, spec.id),
            *listener_unmanaged.extra_certificates(elbv2, spec.id, actual),
        ]

    def remove_unmanaged(self, elbv2: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Set a changed header attribute back (ModifyListenerAttributes)."""
        listener_unmanaged.reset_attribute(elbv2, spec, unmanaged.request)

    def delete(self, elbv2: Any, spec: ResourceSpec) -> None:
        """Delete the listener with its rules (DeleteListener)."""
        elbv2.delete_listener(ListenerArn=spec.id)

    def initial_properties(self, desired: JsonObject, serving: Set[str], deposed: Mapping[str, str]) -> JsonObject:
        """Return the listener as created: forwarding to the old group that its own replaces (`deposed`)."""
        return {**desired, "DefaultActions": actions_with_deposed(desired["DefaultActions"], deposed)}

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the listener in a phase of a cutover; it is closed only after its rules ask for a key."""
        if phase > CutoverPhase.JOIN and REPLACEMENT_TARGET_KEY in actual:
            return {
                **desired,
                "DefaultActions": actions_with_deposed(desired["DefaultActions"], actual[REPLACEMENT_TARGET_KEY]),
            }
        if SHIFTED_BY_KEY in actual:
            return desired
        new, had = desired["DefaultActions"], actual["DefaultActions"]
        if phase <= CutoverPhase.SHIFT and new[0]["Type"] == "fixed-response" and groups_with_weight(had):
            return {**desired, "DefaultActions": had}
        return {**desired, "DefaultActions": actions_at(phase, new, had)}

    def routes_to(self, actual: JsonObject) -> list[str]:
        """Return the target groups that the default action gives any weight."""
        return groups_with_weight(actual.get("DefaultActions", []))

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return the listener with its actions in normal form."""
        return {**actual, "DefaultActions": [normalize_action(one) for one in actual.get("DefaultActions", [])]}


def _describe_rule(rule: JsonObject) -> str:
    shown = [normalize_condition(one) for one in rule["Conditions"] if not requires_key(one)]
    values = [str(value) for one in shown for value in (*one["Values"], *one["RegexValues"])]
    return f"rule {rule['Priority']} for {' '.join(values)}".rstrip()


def _reason_to_keep(rule: JsonObject, last: int) -> str:
    if int(rule["Priority"]) < last:
        return "it takes no priority of ours, though it is asked before some of our rules"
    return "it is asked after all of our rules"
