"""The listener and the listener rule."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from provisioner.aws.responses import created_in
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.field_owners import FieldOwner
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.errors import Blocked
from provisioner.resources.elbv2 import listener_unmanaged
from provisioner.resources.elbv2.base import (
    LISTENER_NOT_FOUND,
    LOAD_BALANCER_NOT_FOUND,
    REPLACEMENT_TARGET_KEY,
    RULE_NOT_FOUND,
    ElbResourceType,
)
from provisioner.resources.elbv2.listener_actions import (
    SHIFTED_BY_KEY,
    normalize_action,
    normalize_condition,
    target_group_weights,
    with_traffic_shift,
)
from provisioner.resources.origin_key import is_too_early_for_key, redact_rule, requires_key
from provisioner.resources.ownership.elbv2 import LISTENER, RULE
from provisioner.resources.tags import pairs

# No request comes from this address (RFC 5737, 3).
_UNMET_CONDITION: JsonObject = {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1/32"]}}


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


class ListenerRule(ElbResourceType):
    """A listener rule: conditions, and the action for the requests that meet them."""

    id_paths, noun = "RuleArn", "rule"
    ownership = RULE
    discriminators = ("Priority",)
    unique_properties = ("ListenerArn", "Priority")
    field_owners = {"Actions": FieldOwner("{ShiftedBy}", description=SHIFTED_BY_KEY)}
    lookup_properties = ("ListenerArn",)
    immutable = frozenset({"ListenerArn"})
    not_found_codes = RULE_NOT_FOUND | LISTENER_NOT_FOUND
    already_exists_codes = codes("PriorityInUse")
    deleted_first = True
    deleted_alongside = frozenset({"Distribution"})
    iam_type, arn_properties = "listener-rule/app", ("{ListenerArn}",)
    operations = declare_operations(
        read="DescribeRules DescribeTags",
        create="CreateRule",
        update="ModifyRule SetRulePriorities",
        delete="DeleteRule",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the rule by its ARN if that is known, else by its priority (DescribeRules)."""
        listed = elbv2.describe_rules(ListenerArn=spec.props["ListenerArn"])["Rules"]
        mine = next((actual for actual in listed if actual["RuleArn"] == spec.id), None)
        mine = mine or next((actual for actual in listed if actual["Priority"] == str(spec.props["Priority"])), None)
        if mine is None:
            return None
        told, ours = target_group_weights(mine["Actions"]), target_group_weights(spec.props.get("Actions", []))
        marked = with_traffic_shift(elbv2, spec, mine, told, ours, listed)
        hidden = redact_rule(marked, spec.suffix)
        return self.with_tags(elbv2, {**hidden, "ListenerArn": spec.props["ListenerArn"]})

    def create(self, elbv2: Any, spec: ResourceSpec) -> JsonObject:
        """Create the rule (CreateRule)."""
        made = created_in(elbv2.create_rule(**spec.props, Tags=pairs(spec.tags)), "Rules")
        return redact_rule(made, spec.suffix)

    def update(self, elbv2: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the rule, and its priority without a gap (SetRulePriorities, ModifyRule)."""
        if place := changed.get("Priority"):
            elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": spec.id, "Priority": int(place)}])
        rest = {key: value for key, value in changed.items() if key != "Priority"}
        # botocore ModifyRule: removing all transforms needs a parameter of its own.
        if rest.get("Transforms") == []:
            rest = {**rest, "ResetTransforms": True}
            del rest["Transforms"]
        if rest:
            elbv2.modify_rule(RuleArn=spec.id, **rest)

    def delete(self, elbv2: Any, spec: ResourceSpec) -> None:
        """Delete the rule (DeleteRule)."""
        elbv2.delete_rule(RuleArn=spec.id)

    def initial_properties(self, desired: JsonObject, serving: Set[str], deposed: Mapping[str, str]) -> JsonObject:
        """Return the rule as created: to the old group, and matching nothing while others get requests."""
        joined = {**desired, "Actions": actions_with_deposed(desired["Actions"], deposed)}
        group = set(groups_with_weight(joined["Actions"]))
        return _with_unmet_condition(joined) if group and serving and not group & serving else joined

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the rule in a phase of a cutover; it asks for a key only after CloudFront sends it."""
        if phase is CutoverPhase.JOIN and _has_unmet_condition(actual):
            return _with_unmet_condition(desired)
        given = desired
        if phase > CutoverPhase.JOIN and REPLACEMENT_TARGET_KEY in actual:
            # ECS may have shifted its own rule to the other group since.
            given = {**desired, "Actions": actions_with_deposed(desired["Actions"], actual[REPLACEMENT_TARGET_KEY])}
        elif SHIFTED_BY_KEY not in actual:
            given = {**desired, "Actions": actions_at(phase, desired["Actions"], actual["Actions"])}
        if not is_too_early_for_key(desired["Conditions"], actual["Conditions"], serving):
            return given
        if phase > CutoverPhase.JOIN:
            raise Blocked(
                "The load balancer is to ask for a key that CloudFront does not show yet; it stays open.",
                "Run `apply` with all of the stack: CloudFront learns the key first.",
            )
        return {**given, "Conditions": [one for one in desired["Conditions"] if not requires_key(one)]}

    def routes_to(self, actual: JsonObject) -> list[str]:
        """Return the target groups that the rule gives any weight; none while it matches nothing."""
        return [] if _has_unmet_condition(actual) else groups_with_weight(actual.get("Actions", []))

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return the rule with its priority as text, and conditions and actions in normal form."""
        return {
            **actual,
            "Priority": str(actual.get("Priority")),
            "Conditions": [normalize_condition(one) for one in actual.get("Conditions", [])],
            "Actions": [normalize_action(one) for one in actual.get("Actions", [])],
        }


def _describe_rule(rule: JsonObject) -> str:
    shown = [normalize_condition(one) for one in rule["Conditions"] if not requires_key(one)]
    values = [str(value) for one in shown for value in (*one["Values"], *one["RegexValues"])]
    return f"rule {rule['Priority']} for {' '.join(values)}".rstrip()


def _reason_to_keep(rule: JsonObject, last: int) -> str:
    if int(rule["Priority"]) < last:
        return "it takes no priority of ours, though it is asked before some of our rules"
    return "it is asked after all of our rules"


def _with_unmet_condition(rule: JsonObject) -> JsonObject:
    # No request meets the added condition.
    return {**rule, "Conditions": [*rule["Conditions"], _UNMET_CONDITION]}


def _has_unmet_condition(rule: JsonObject) -> bool:
    return any(normalize_condition(one) == normalize_condition(_UNMET_CONDITION) for one in rule.get("Conditions", []))


def actions_at(phase: CutoverPhase, desired: list[JsonObject], actual: list[JsonObject]) -> list[JsonObject]:
    """Return a forward to both groups: the new one at weight 0, then with all the weight, then alone."""
    new, had = target_group_weights(desired), target_group_weights(actual)
    if phase >= CutoverPhase.DROP or not new or not had or new.keys() == had.keys():
        return desired
    weights = dict.fromkeys(had, 0) | new if phase >= CutoverPhase.SHIFT else dict.fromkeys(new, 0) | had
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def actions_with_deposed(desired: list[JsonObject], deposed: Mapping[str, str]) -> list[JsonObject]:
    """Return a forward as it is in the phase JOIN, by `deposed`: the old group of each new one."""
    olds = [deposed[group] for group in groups_with_weight(desired) if group in deposed]
    return actions_at(CutoverPhase.JOIN, desired, [{"Type": "forward", "TargetGroupArn": old} for old in olds])


def groups_with_weight(actions: list[JsonObject]) -> list[str]:
    """Return the target groups that get any weight in a forward action; none if it is no forward."""
    return [arn for arn, weight in target_group_weights(actions).items() if weight]
