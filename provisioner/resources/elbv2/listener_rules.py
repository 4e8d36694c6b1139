"""The rule of a listener: conditions, and where requests that meet them are sent."""

from __future__ import annotations

from collections.abc import Mapping, Set

from provisioner.aws.responses import created_resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import Blocked
from provisioner.resources.elbv2.base import (
    LISTENER_NOT_FOUND,
    REPLACEMENT_TARGET_KEY,
    RULE_NOT_FOUND,
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
from provisioner.resources.field_owners.elbv2 import RULE
from provisioner.resources.origin_key import is_too_early_for_key, redact_rule, requires_key
from provisioner.resources.tags import pairs
from provisioner.service_clients import ELBV2

# A condition that no request meets: none comes from this address (RFC 5737, 3).
_UNMET_CONDITION: JsonObject = {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1/32"]}}


class ListenerRule(ElbResourceType):
    """A listener rule: conditions, and the action for the requests that meet them."""

    # Elastic Load Balancing API reference, DeleteLoadBalancer and DeleteListener: the listeners go with the balancer.
    container_property, deleted_with_container, deleted_at_reply = "ListenerArn", True, True
    id_paths, noun = "RuleArn", "rule"
    pricing = FREE
    ownership = RULE
    discriminators = ("Priority",)
    unique_properties = ("ListenerArn", "Priority")
    field_owners = {"Actions": FieldOwner("{ShiftedBy}", shown_by=SHIFTED_BY_KEY)}
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

    def read(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject | None:
        """Return the rule by its ARN if that is known, else by its priority (DescribeRules)."""
        rules = elbv2.describe_rules(ListenerArn=spec.props["ListenerArn"])["Rules"]
        rule = next((each for each in rules if each["RuleArn"] == spec.id), None)
        rule = rule or next((each for each in rules if each["Priority"] == str(spec.props["Priority"])), None)
        if rule is None:
            return None
        weights, declared = target_group_weights(rule["Actions"]), target_group_weights(spec.props.get("Actions", []))
        marked = with_traffic_shift(elbv2, spec, rule, weights, declared, rules)
        hidden = redact_rule(marked, spec.suffix)
        return self.with_tags(elbv2, {**hidden, "ListenerArn": spec.props["ListenerArn"]})

    def create(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject:
        """Create the rule (CreateRule)."""
        rule = created_resource(elbv2.create_rule(**spec.props, Tags=pairs(spec.tags)), "Rules")
        return redact_rule(rule, spec.suffix)

    def update(self, elbv2: ELBV2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the rule, and its priority without a gap (SetRulePriorities, ModifyRule)."""
        if priority := changed.get("Priority"):
            elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": spec.id, "Priority": int(priority)}])
        parameters = {key: value for key, value in changed.items() if key != "Priority"}
        # botocore ModifyRule: removing all transforms needs a parameter of its own.
        if parameters.get("Transforms") == []:
            parameters = {**parameters, "ResetTransforms": True}
            del parameters["Transforms"]
        if parameters:
            elbv2.modify_rule(RuleArn=spec.id, **parameters)

    def delete(self, elbv2: ELBV2, spec: ResourceSpec) -> None:
        """Delete the rule (DeleteRule)."""
        elbv2.delete_rule(RuleArn=spec.id)

    def initial_properties(self, desired: JsonObject, serving: Set[str], deposed: Mapping[str, str]) -> JsonObject:
        """Return the properties to create the rule with: it forwards to the deposed target group at first.

        If its target group gets no requests yet while others do (`serving`), it has a condition that no request
        meets. `deposed` maps a new target group to the deposed one that it replaces.
        """
        rule = {**desired, "Actions": actions_with_deposed(desired["Actions"], deposed)}
        groups = set(groups_with_weight(rule["Actions"]))
        return _with_unmet_condition(rule) if groups and serving and not groups & serving else rule

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the properties of the rule in a phase of a cutover.

        It asks for a key only after CloudFront sends the key.

        Raises:
            Blocked: If the rule is to ask for a key that CloudFront does not send, after the phase JOIN.

        """
        if phase is CutoverPhase.JOIN and _has_unmet_condition(actual):
            return _with_unmet_condition(desired)
        rule = desired
        if phase > CutoverPhase.JOIN and REPLACEMENT_TARGET_KEY in actual:
            # ECS may have shifted its own rule to the other group since.
            rule = {**desired, "Actions": actions_with_deposed(desired["Actions"], actual[REPLACEMENT_TARGET_KEY])}
        elif SHIFTED_BY_KEY not in actual:
            rule = {**desired, "Actions": actions_at(phase, desired["Actions"], actual["Actions"])}
        if not is_too_early_for_key(desired["Conditions"], actual["Conditions"], serving):
            return rule
        if phase > CutoverPhase.JOIN:
            raise Blocked(
                "The load balancer is to ask for a key that CloudFront does not show yet; it stays open.",
                "Run `apply` with all of the stack: CloudFront learns the key first.",
            )
        return {**rule, "Conditions": [each for each in desired["Conditions"] if not requires_key(each)]}

    def routes_to(self, actual: JsonObject) -> list[str]:
        """Return the target groups to which the rule gives any weight; none while it matches no request."""
        return [] if _has_unmet_condition(actual) else groups_with_weight(actual.get("Actions", []))

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return the rule with its priority as text, and conditions and actions in normal form."""
        return {
            **actual,
            "Priority": str(actual.get("Priority")),
            "Conditions": [normalize_condition(condition) for condition in actual.get("Conditions", [])],
            "Actions": [normalize_action(action) for action in actual.get("Actions", [])],
        }


def _with_unmet_condition(rule: JsonObject) -> JsonObject:
    """Return a rule with one more condition, which no request meets."""
    return {**rule, "Conditions": [*rule["Conditions"], _UNMET_CONDITION]}


def _has_unmet_condition(rule: JsonObject) -> bool:
    """Return whether a rule has the condition that no request meets."""
    unmet = normalize_condition(_UNMET_CONDITION)
    return any(normalize_condition(condition) == unmet for condition in rule.get("Conditions", []))
