"""The listener and the listener rule."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from provisioner.answers import made_in
from provisioner.engine.beats import Beat
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc
from provisioner.engine.traits import calling, codes
from provisioner.errors import Blocked
from provisioner.kinds.elbv2 import added
from provisioner.kinds.elbv2.forms import action_form, condition_form, weights_of
from provisioner.kinds.elbv2.shifting import SHIFTED_BY, with_shift
from provisioner.kinds.elbv2.tagged import NO_BALANCER, NO_LISTENER, NO_RULE, STANDS_IN, Elb
from provisioner.kinds.members.elbv2 import LISTENER, RULE
from provisioner.kinds.origin_key import is_key, not_yet, veiled_rule
from provisioner.kinds.tags import pairs

# No request comes from this address (RFC 5737, 3).
_NOBODY: Doc = {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1/32"]}}


class Listener(Elb):
    """A listener: a port of a load balancer, with the action for requests that no rule matches."""

    key, noun = "ListenerArn", "listener"
    members = LISTENER
    claims = ("LoadBalancerArn", "Port")
    owners = {"DefaultActions": Owner("{ShiftedBy}", told=SHIFTED_BY)}
    within = ("LoadBalancerArn",)
    fixed = frozenset({"LoadBalancerArn"})
    absent = NO_LISTENER | NO_BALANCER
    duplicate = codes("DuplicateListener")
    # A certificate that is seconds old is unknown here (terraform-provider-aws elbv2/listener.go: 5 min).
    transient = {"create": codes("CertificateNotFound"), "delete": codes("ResourceInUse")}
    goes_beside = frozenset({"Distribution"})
    resource, fills = "listener/app", ("{LoadBalancerArn}",)
    # Changed header attributes are set back. A rule that nobody declared is only reported.
    owns_inside = True
    calls = calling(
        extras=f"DescribeRules {added.READS}",
        remove=added.CHANGES,
        read="DescribeListeners DescribeRules DescribeTags",
        create="CreateListener",
        update="ModifyListener",
        delete="DeleteListener",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the listener by its ARN if known, else by its port, marked if ECS shifts its traffic."""
        listed = elbv2.describe_listeners(LoadBalancerArn=spec.props["LoadBalancerArn"])["Listeners"]
        mine = next((doc for doc in listed if doc["ListenerArn"] == spec.id), None)
        mine = mine or next((doc for doc in listed if doc["Port"] == spec.props["Port"]), None)
        if mine is None:
            return None
        told, ours = weights_of(mine["DefaultActions"]), weights_of(spec.props.get("DefaultActions", []))
        rules = elbv2.describe_rules(ListenerArn=mine["ListenerArn"])["Rules"] if ours else []
        marked = with_shift(elbv2, spec, mine, told, ours, rules)
        return self.with_tags(elbv2, marked)

    def create(self, elbv2: Any, spec: ResourceSpec) -> Doc:
        """Create the listener (CreateListener)."""
        return dict(made_in(elbv2.create_listener(**spec.props, Tags=pairs(spec.tags)), "Listeners"))

    def update(self, elbv2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Change the listener (ModifyListener)."""
        elbv2.modify_listener(ListenerArn=spec.id, **changed)

    def extras(self, elbv2: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return rules with undeclared priorities, changed header attributes and extra certificates."""
        places = inside.values("Priority")
        listed = elbv2.describe_rules(ListenerArn=spec.id)["Rules"]
        # An emulator may list the default action again, as a rule with the priority "default".
        ours = {*places, "default"}
        others = [one for one in listed if not one["IsDefault"] and one["Priority"] not in ours]
        last = max((int(place) for place in places), default=0)
        rules = [Extra(_rule_in_words(one), one, _why_it_stays(one, last)) for one in others]
        return [*rules, *added.rewritten(elbv2, spec.id), *added.shown_besides(elbv2, spec.id, doc)]

    def remove(self, elbv2: Any, spec: ResourceSpec, extra: Extra) -> None:
        """Set a changed header attribute back (ModifyListenerAttributes)."""
        added.put_back(elbv2, spec, extra.doc)

    def delete(self, elbv2: Any, spec: ResourceSpec) -> None:
        """Delete the listener with its rules (DeleteListener)."""
        elbv2.delete_listener(ListenerArn=spec.id)

    def at_first(self, wanted: Doc, led: Set[str], former: Mapping[str, str]) -> Doc:
        """Return the listener as created: forwarding to the old group that its own replaces (`former`)."""
        return {**wanted, "DefaultActions": _joined(wanted["DefaultActions"], former)}

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """Return the listener in a phase of a cutover; it is closed only after its rules ask for a key."""
        if beat > Beat.JOIN and STANDS_IN in seen:
            return {**wanted, "DefaultActions": _joined(wanted["DefaultActions"], seen[STANDS_IN])}
        if SHIFTED_BY in seen:
            return wanted
        new, had = wanted["DefaultActions"], seen["DefaultActions"]
        if beat <= Beat.MOVE and new[0]["Type"] == "fixed-response" and _led(had):
            return {**wanted, "DefaultActions": had}
        return {**wanted, "DefaultActions": _between(beat, new, had)}

    def leads(self, doc: Doc) -> list[str]:
        """Return the target groups that the default action gives any weight."""
        return _led(doc.get("DefaultActions", []))

    def canonical(self, doc: Doc) -> Doc:
        """Return the listener with its actions in normal form."""
        return {**doc, "DefaultActions": [action_form(one) for one in doc.get("DefaultActions", [])]}


class ListenerRule(Elb):
    """A listener rule: conditions, and the action for the requests that meet them."""

    key, noun = "RuleArn", "rule"
    members = RULE
    distinct = ("Priority",)
    claims = ("ListenerArn", "Priority")
    owners = {"Actions": Owner("{ShiftedBy}", told=SHIFTED_BY)}
    within = ("ListenerArn",)
    fixed = frozenset({"ListenerArn"})
    absent = NO_RULE | NO_LISTENER
    duplicate = codes("PriorityInUse")
    goes_first = True
    goes_beside = frozenset({"Distribution"})
    resource, fills = "listener-rule/app", ("{ListenerArn}",)
    calls = calling(
        read="DescribeRules DescribeTags",
        create="CreateRule",
        update="ModifyRule SetRulePriorities",
        delete="DeleteRule",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the rule by its ARN if that is known, else by its priority (DescribeRules)."""
        listed = elbv2.describe_rules(ListenerArn=spec.props["ListenerArn"])["Rules"]
        mine = next((doc for doc in listed if doc["RuleArn"] == spec.id), None)
        mine = mine or next((doc for doc in listed if doc["Priority"] == str(spec.props["Priority"])), None)
        if mine is None:
            return None
        told, ours = weights_of(mine["Actions"]), weights_of(spec.props.get("Actions", []))
        marked = with_shift(elbv2, spec, mine, told, ours, listed)
        hidden = veiled_rule(marked, spec.suffix)
        return self.with_tags(elbv2, {**hidden, "ListenerArn": spec.props["ListenerArn"]})

    def create(self, elbv2: Any, spec: ResourceSpec) -> Doc:
        """Create the rule (CreateRule)."""
        made = made_in(elbv2.create_rule(**spec.props, Tags=pairs(spec.tags)), "Rules")
        return veiled_rule(made, spec.suffix)

    def update(self, elbv2: Any, spec: ResourceSpec, changed: Doc) -> None:
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

    def at_first(self, wanted: Doc, led: Set[str], former: Mapping[str, str]) -> Doc:
        """Return the rule as created: to the old group, and matching nothing while others get requests."""
        joined = {**wanted, "Actions": _joined(wanted["Actions"], former)}
        group = set(_led(joined["Actions"]))
        return _hushed(joined) if group and led and not group & led else joined

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """Return the rule in a phase of a cutover; it asks for a key only after CloudFront sends it."""
        if beat is Beat.JOIN and _is_hushed(seen):
            return _hushed(wanted)
        given = wanted
        if beat > Beat.JOIN and STANDS_IN in seen:
            # ECS may have shifted its own rule to the other group since.
            given = {**wanted, "Actions": _joined(wanted["Actions"], seen[STANDS_IN])}
        elif SHIFTED_BY not in seen:
            given = {**wanted, "Actions": _between(beat, wanted["Actions"], seen["Actions"])}
        if not not_yet(wanted["Conditions"], seen["Conditions"], led):
            return given
        if beat > Beat.JOIN:
            raise Blocked(
                "The load balancer is to ask for a key that CloudFront does not show yet; it stays open.",
                "Run `apply` with all of the stack: CloudFront learns the key first.",
            )
        return {**given, "Conditions": [one for one in wanted["Conditions"] if not is_key(one)]}

    def leads(self, doc: Doc) -> list[str]:
        """Return the target groups that the rule gives any weight; none while it matches nothing."""
        return [] if _is_hushed(doc) else _led(doc.get("Actions", []))

    def canonical(self, doc: Doc) -> Doc:
        """Return the rule with its priority as text, and conditions and actions in normal form."""
        return {
            **doc,
            "Priority": str(doc.get("Priority")),
            "Conditions": [condition_form(one) for one in doc.get("Conditions", [])],
            "Actions": [action_form(one) for one in doc.get("Actions", [])],
        }


def _rule_in_words(rule: Doc) -> str:
    shown = [condition_form(one) for one in rule["Conditions"] if not is_key(one)]
    values = [str(value) for one in shown for value in (*one["Values"], *one["RegexValues"])]
    return f"rule {rule['Priority']} for {' '.join(values)}".rstrip()


def _why_it_stays(rule: Doc, last: int) -> str:
    if int(rule["Priority"]) < last:
        return "it takes no priority of ours, though it is asked before some of our rules"
    return "it is asked after all of our rules"


def _hushed(rule: Doc) -> Doc:
    # No request meets the added condition.
    return {**rule, "Conditions": [*rule["Conditions"], _NOBODY]}


def _is_hushed(rule: Doc) -> bool:
    return any(condition_form(one) == condition_form(_NOBODY) for one in rule.get("Conditions", []))


def _between(beat: Beat, wanted: list[Doc], seen: list[Doc]) -> list[Doc]:
    """Return a forward to both groups: the new one at weight 0, then with all the weight, then alone."""
    new, had = weights_of(wanted), weights_of(seen)
    if beat >= Beat.DROP or not new or not had or new.keys() == had.keys():
        return wanted
    weights = dict.fromkeys(had, 0) | new if beat >= Beat.MOVE else dict.fromkeys(new, 0) | had
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def _joined(wanted: list[Doc], former: Mapping[str, str]) -> list[Doc]:
    """Return a forward as it is in the phase JOIN, by `former`: the old group of each new one."""
    olds = [former[group] for group in _led(wanted) if group in former]
    return _between(Beat.JOIN, wanted, [{"Type": "forward", "TargetGroupArn": old} for old in olds])


def _led(actions: list[Doc]) -> list[str]:
    return [arn for arn, weight in weights_of(actions).items() if weight]
