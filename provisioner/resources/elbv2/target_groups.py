"""The target group and its attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from botocore.exceptions import ClientError

from provisioner.aws.responses import created_resource
from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.coverage import covers
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.names import NODE_TAG, PROJECT, REGION_TAG, has_stack_tags, name_of, owner_tags
from provisioner.resources.ecs.foreign_targets import describe_target, foreign_targets
from provisioner.resources.ecs.traffic_shifts import find_shift_with
from provisioner.resources.elbv2.base import (
    LOAD_BALANCER_NOT_FOUND,
    MAX_PER_CALL,
    TARGET_GROUP_NOT_FOUND,
    ElbResourceType,
    described_tags,
    full_name,
)
from provisioner.resources.field_owners.elbv2 import TARGET_GROUP, TARGET_GROUP_ATTRIBUTES
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tags import mapping, pairs, read_batch
from provisioner.service_clients import ECS, ELBV2

# Success codes that accept all but server errors (botocore elbv2 Matcher: 200 to 499).
_LENIENT_CHECK: JsonObject = {"Matcher": {"HttpCode": "200-499"}}

# States of a target that is being registered or deregistered. They do not count if another target is healthy.
_TRANSIENT_STATES = frozenset({"initial", "draining", "unhealthy.draining"})
# The second code is an emulator's: AWS accepts to deregister a target that is not registered (API reference,
# DeregisterTargets).
_TARGET_NOT_FOUND = TARGET_GROUP_NOT_FOUND | codes("InvalidTarget")


class TargetGroup(ElbResourceType):
    """A group of targets that a load balancer sends requests to. ECS registers the tasks' addresses."""

    deleted_at_reply = True
    id_paths, name_property, noun = "TargetGroupArn", "Name", "tg"
    max_name_length = 32
    pricing = FREE
    ownership = TARGET_GROUP
    # A new health check path makes a new group: tasks that answer one path may not answer the other.
    discriminators = ("Protocol", "Port", "TargetType", "VpcId", "HealthCheckPath")
    immutable = frozenset({"Name", "Protocol", "Port", "TargetType", "VpcId"})
    # botocore elbv2 TargetHealthStateEnum. `read_status` reduces the states of all targets to one.
    status_classes = (
        StatusClasses(
            "TargetHealth",
            in_lower_case("healthy resting"),
            in_lower_case("initial"),
            in_lower_case("unhealthy unhealthy.draining unused draining unavailable none"),
            when_missing="healthy",
            descriptions={"none": "no target", "resting": "no target: ECS routes to the other target group"},
        ),
    )
    not_found_codes = TARGET_GROUP_NOT_FOUND
    already_exists_codes = codes("DuplicateTargetGroupName")
    # The link to a deleted load balancer can linger (terraform-provider-aws#16889).
    retryable_codes = {"delete": codes("ResourceInUse")}
    iam_type, arn_properties = "targetgroup", ("{Name}",)
    # Only the stack decides which targets get requests.
    owns_children = True
    operations = declare_operations(
        unmanaged="DescribeTargetHealth",
        remove_unmanaged="DeregisterTargets",
        read="DescribeTags DescribeTargetGroups",
        find_siblings="DescribeTags DescribeTargetGroups",
        read_status="DescribeTargetHealth",
        create="CreateTargetGroup",
        update="ModifyTargetGroup",
        delete="DeleteTargetGroup",
        blockers="DescribeListeners DescribeRules DescribeTags DescribeTargetGroups",
    )

    def read(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject | None:
        """Return the target group by its name, or by the name in its ARN (DescribeTargetGroups)."""
        group = _describe(elbv2, spec.id.split("/")[1] if spec.id else spec.props["Name"])
        return self.with_tags(elbv2, _in_declared_form(group)) if group else None

    def read_status(self, elbv2: ELBV2, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Add `TargetHealth`, the worst state of the targets (DescribeTargetHealth).

        It is "resting" for a group without targets between which and another group ECS shifts traffic: the group
        that is not in use needs no target. It is "none" for any other group without targets.
        """
        arn = actual["TargetGroupArn"]
        listed = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        states = {str(target["TargetHealth"]["State"]) for target in listed}
        if not states and find_shift_with(sibling_client(elbv2, ECS), spec.suffix, arn):
            return {**actual, "TargetHealth": "resting"}
        return {**actual, "TargetHealth": _worst_state(states)}

    def unmanaged(
        self, elbv2: ELBV2, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the registered targets that are no task of the stack's cluster (DescribeTargetHealth)."""
        listed = elbv2.describe_target_health(TargetGroupArn=spec.id)["TargetHealthDescriptions"]
        return [
            Unmanaged(f"target {describe_target(target['Target'])}", target, not_found_codes=_TARGET_NOT_FOUND)
            for target in self._foreign_targets(elbv2, spec, listed)
        ]

    def remove_unmanaged(self, elbv2: ELBV2, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Deregister a target, unless a task of the cluster has got its address since (DeregisterTargets)."""
        for target in self._foreign_targets(elbv2, spec, [unmanaged.request]):
            elbv2.deregister_targets(TargetGroupArn=spec.id, Targets=[target["Target"]])

    def _foreign_targets(self, elbv2: ELBV2, spec: ResourceSpec, listed: Sequence[JsonObject]) -> list[JsonObject]:
        """Return those of the targets that are no task of the stack's cluster."""
        return foreign_targets(sibling_client(elbv2, ECS), name_of("cluster", spec.suffix), listed)

    def find_siblings(self, elbv2: ELBV2, spec: ResourceSpec) -> list[JsonObject]:
        """Return other target groups with the same tags (DescribeTargetGroups, DescribeTags)."""
        listed = elbv2.describe_target_groups()["TargetGroups"]
        of_project = [actual for actual in listed if actual["TargetGroupName"].startswith(f"{PROJECT}-")]
        others = [actual for actual in of_project if actual["TargetGroupArn"] != spec.id]
        tagged = [self.with_tags(elbv2, _in_declared_form(actual)) for actual in others]
        return [actual for actual in tagged if _identity_tags(actual["Tags"]) == _identity_tags(spec.tags)]

    def create(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject:
        """Create the target group (CreateTargetGroup)."""
        reply = elbv2.create_target_group(**spec.props, Tags=pairs(spec.tags))
        return _in_declared_form(created_resource(reply, "TargetGroups"))

    def update(self, elbv2: ELBV2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the health check (ModifyTargetGroup)."""
        elbv2.modify_target_group(TargetGroupArn=spec.id, **changed)

    def delete(self, elbv2: ELBV2, spec: ResourceSpec) -> None:
        """Delete the target group (DeleteTargetGroup)."""
        elbv2.delete_target_group(TargetGroupArn=spec.id)

    def blockers(self, elbv2: ELBV2, spec: ResourceSpec) -> list[Blocker]:
        """Return the listener rules that forward to the group; those of the stack are temporary blockers."""
        group = _describe(elbv2, spec.id.split("/")[1]) or {}
        # An emulator may list a load balancer once for each rule that forwards to the group.
        balancers = dict.fromkeys(group.get("LoadBalancerArns", []))
        return [
            _rule_blocker(elbv2, rule, balancer, spec.suffix)
            for balancer in balancers
            for listener in _list_listeners(elbv2, balancer)
            for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            if spec.id in str(rule["Actions"])
        ]

    def deposed_properties(self, old: JsonObject, new: JsonObject) -> JsonObject:
        """Return a lenient health check for a deposed group, if the new group's check has another path.

        During the cutover, tasks of the new group are in the old group too, and may answer its path with 404.
        """
        has_other_path = old.get("HealthCheckPath") != new.get("HealthCheckPath")
        return _LENIENT_CHECK if has_other_path and old.get("Protocol") == new.get("Protocol") else {}

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the properties of the group in a phase of a cutover.

        A group that was deposed and is used again keeps its lenient health check until the phase DROP.
        """
        is_lenient = phase < CutoverPhase.DROP and covers(actual, _LENIENT_CHECK)
        return {**desired, **_LENIENT_CHECK} if is_lenient else desired


def _describe(elbv2: ELBV2, own_name: str) -> JsonObject | None:
    """Return the target group of this name (DescribeTargetGroups), with others that are read together.

    AWS refuses a list of names of which one does not exist: then one list of all groups serves them all.
    """

    def describe(names: list[str]) -> list[JsonObject]:
        return list(elbv2.describe_target_groups(Names=names)["TargetGroups"])

    names = elbv2.batch_scope.batch(own_name, "TargetGroup", by="name", most=MAX_PER_CALL)
    listed = read_batch(
        names, own_name, describe, TARGET_GROUP_NOT_FOUND, lambda: list(elbv2.describe_target_groups()["TargetGroups"])
    )
    return next((group for group in listed if group["TargetGroupName"] == own_name), None)


class TargetGroupAttributes(SubresourceType):
    """The attributes of a target group, such as its deregistration delay. A call of its own sets them."""

    service, id_paths = "elbv2", "TargetGroupArn"
    ownership = TARGET_GROUP_ATTRIBUTES
    not_found_codes = TARGET_GROUP_NOT_FOUND
    iam_type, arn_properties = "targetgroup", ("{TargetGroupArn}",)
    operations = declare_operations(
        read="DescribeTargetGroupAttributes",
        create="ModifyTargetGroupAttributes",
        update="ModifyTargetGroupAttributes",
    )

    def read(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject | None:
        """Return the attributes by name (DescribeTargetGroupAttributes)."""
        arn = spec.props["TargetGroupArn"]
        listed = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return {"TargetGroupArn": arn, "Attributes": mapping(listed)}

    def apply(self, elbv2: ELBV2, props: JsonObject) -> None:
        """Set the attributes (ModifyTargetGroupAttributes)."""
        desired = pairs(props["Attributes"])
        elbv2.modify_target_group_attributes(TargetGroupArn=props["TargetGroupArn"], Attributes=desired)


def _worst_state(states: set[str]) -> str:
    """Return the worst of the states of the targets; "none" if there are no targets.

    If one target is healthy, targets that are being registered or deregistered do not count.
    """
    counted = states - _TRANSIENT_STATES if "healthy" in states else states
    bad = sorted(counted - {"initial", "healthy"})
    good = [state for state in ("initial", "healthy") if state in counted]
    return next(iter([*bad, *good]), "none")


def _list_listeners(elbv2: ELBV2, balancer: str) -> list[JsonObject]:
    """Return the listeners of a load balancer (DescribeListeners); none if the load balancer is gone.

    A target group lists a deleted load balancer for a while.
    """
    try:
        return list(elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"])
    except ClientError as error:
        if code_of(error) not in LOAD_BALANCER_NOT_FOUND:
            raise
        return []


def _rule_blocker(elbv2: ELBV2, rule: JsonObject, balancer: str, suffix: str) -> Blocker:
    """Return a rule as a blocker, with the command that deletes it.

    It is temporary if it has the stack's tags. A default rule has no tags and is deleted with its listener, so
    the listener's tags count.
    """
    arn = rule["RuleArn"]
    listener = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
    # A rule that has been deleted in the meantime has no tags.
    tags = described_tags(elbv2, listener if rule["IsDefault"] else arn)
    command = f"delete-rule --rule-arn {arn}"
    if rule["IsDefault"]:
        command = f"delete-listener --listener-arn {listener}"
    return Blocker(
        f"the rule {arn} of priority {rule['Priority']}",
        has_stack_tags(tags, suffix),
        f"`aws elbv2 {command} --region {elbv2.region}`",
        part_of=balancer,
    )


def _identity_tags(tags: Mapping[str, str]) -> list[str | None]:
    """Return the tags that identify a resource: project, stack, tool, region and logical id."""
    return [tags.get(key) for key in (*owner_tags(""), REGION_TAG, NODE_TAG)]


def _in_declared_form(actual: JsonObject) -> JsonObject:
    """Return a described group with its name under the declared key, and the name that CloudWatch uses."""
    return {**actual, "Name": actual["TargetGroupName"], "FullName": full_name(actual, "TargetGroupArn")}
