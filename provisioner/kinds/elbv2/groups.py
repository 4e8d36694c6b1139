"""The target group and its attributes."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from botocore.exceptions import ClientError

from provisioner.answers import made_in
from provisioner.engine.beats import Beat
from provisioner.engine.clients import beside
from provisioner.engine.covering import covers
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import code_of
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes
from provisioner.kinds.ecs.strangers import strangers, told
from provisioner.kinds.ecs.strategies import shift_with
from provisioner.kinds.elbv2.tagged import MOST, NO_BALANCER, NO_GROUP, Elb, full_name
from provisioner.kinds.members.elbv2 import TARGET_GROUP, TARGET_GROUP_ATTRIBUTES
from provisioner.kinds.setting import Setting
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import asked
from provisioner.names import NODE_TAG, PROJECT, REGION_TAG, bears, name_of, owner_tags

# Success codes that accept all but server errors (botocore elbv2 Matcher: 200 to 499).
_LENIENT: Doc = {"Matcher": {"HttpCode": "200-499"}}

# States of a target that is being registered or deregistered. They do not count if another target is healthy.
_PASSING = frozenset({"initial", "draining", "unhealthy.draining"})
# The second code is an emulator's: AWS accepts to deregister a target that is not registered (API reference,
# DeregisterTargets).
_NO_TARGET = NO_GROUP | codes("InvalidTarget")


class TargetGroup(Elb):
    """A group of targets that a load balancer sends requests to. ECS registers the tasks' addresses."""

    key, named, noun = "TargetGroupArn", "Name", "tg"
    members = TARGET_GROUP
    # A new health check path makes a new group: tasks that answer one path may not answer the other.
    distinct = ("Protocol", "Port", "TargetType", "VpcId", "HealthCheckPath")
    fixed = frozenset({"Name", "Protocol", "Port", "TargetType", "VpcId"})
    # botocore elbv2 TargetHealthStateEnum. `observe` reduces the states of all targets to one.
    states = (
        States(
            "TargetHealth",
            words("healthy resting"),
            words("initial"),
            words("unhealthy unhealthy.draining unused draining unavailable none"),
            untold="healthy",
            says={"none": "no target", "resting": "no target: ECS leads to its other group"},
        ),
    )
    absent = NO_GROUP
    duplicate = codes("DuplicateTargetGroupName")
    # The link to a deleted load balancer can linger (terraform-provider-aws#16889).
    transient = {"delete": codes("ResourceInUse")}
    resource, fills = "targetgroup", ("{Name}",)
    # Only the stack decides which targets get requests.
    owns_inside = True
    calls = calling(
        extras="DescribeTargetHealth",
        remove="DeregisterTargets",
        read="DescribeTags DescribeTargetGroups",
        others="DescribeTags DescribeTargetGroups",
        observe="DescribeTargetHealth",
        create="CreateTargetGroup",
        update="ModifyTargetGroup",
        delete="DeleteTargetGroup",
        holders="DescribeListeners DescribeRules DescribeTags DescribeTargetGroups",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the target group by its name, or by the name in its ARN (DescribeTargetGroups)."""
        own = spec.id.split("/")[1] if spec.id else spec.props["Name"]

        def ask(names: list[str]) -> list[Doc]:
            return list(elbv2.describe_target_groups(Names=names)["TargetGroups"])

        listed = asked(elbv2.peers.together(own, "TargetGroup", by="name", most=MOST), own, ask, NO_GROUP)
        mine = next((doc for doc in listed if doc["TargetGroupName"] == own), None)
        return self.with_tags(elbv2, _group(mine)) if mine else None

    def observe(self, elbv2: Any, spec: ResourceSpec, doc: Doc) -> Doc:
        """Add `TargetHealth`, the worst state of the targets (DescribeTargetHealth).

        If one target is healthy, targets that are being registered or deregistered do not count. Of two
        groups between which ECS shifts traffic, the one that is not in use has no target and needs none:
        "resting".
        """
        arn = doc["TargetGroupArn"]
        listed = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        found = {str(one["TargetHealth"]["State"]) for one in listed}
        lasting = found - _PASSING if "healthy" in found else found
        order = [one for one in ("initial", "healthy") if one in lasting]
        others = sorted(lasting - {"initial", "healthy"})
        if not found and shift_with(beside(elbv2, "ecs"), spec.suffix, arn):
            return {**doc, "TargetHealth": "resting"}
        return {**doc, "TargetHealth": next(iter((*others, *order)), "none")}

    def extras(self, elbv2: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the registered targets that are no task of the stack's cluster (DescribeTargetHealth)."""
        listed = elbv2.describe_target_health(TargetGroupArn=spec.id)["TargetHealthDescriptions"]
        found = self._strangers(elbv2, spec, listed)
        return [Extra(f"target {told(one['Target'])}", one, gone=_NO_TARGET) for one in found]

    def remove(self, elbv2: Any, spec: ResourceSpec, extra: Extra) -> None:
        """Deregister a target, unless a task of the cluster has got its address since (DeregisterTargets)."""
        for one in self._strangers(elbv2, spec, [extra.doc]):
            elbv2.deregister_targets(TargetGroupArn=spec.id, Targets=[one["Target"]])

    def _strangers(self, elbv2: Any, spec: ResourceSpec, listed: list[Doc]) -> list[Doc]:
        return strangers(beside(elbv2, "ecs"), name_of("cluster", spec.suffix), listed)

    def others(self, elbv2: Any, spec: ResourceSpec) -> list[Doc]:
        """Return other groups with the same tags and another name (DescribeTargetGroups, DescribeTags)."""
        listed = elbv2.describe_target_groups()["TargetGroups"]
        named = [doc for doc in listed if doc["TargetGroupName"].startswith(f"{PROJECT}-")]
        found = [self.with_tags(elbv2, _group(doc)) for doc in named if doc["TargetGroupArn"] != spec.id]
        return [doc for doc in found if _mark(doc["Tags"]) == _mark(spec.tags)]

    def create(self, elbv2: Any, spec: ResourceSpec) -> Doc:
        """Create the target group (CreateTargetGroup)."""
        return _group(made_in(elbv2.create_target_group(**spec.props, Tags=pairs(spec.tags)), "TargetGroups"))

    def update(self, elbv2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Change the health check (ModifyTargetGroup)."""
        elbv2.modify_target_group(TargetGroupArn=spec.id, **changed)

    def delete(self, elbv2: Any, spec: ResourceSpec) -> None:
        """Delete the target group (DeleteTargetGroup)."""
        elbv2.delete_target_group(TargetGroupArn=spec.id)

    def holders(self, elbv2: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the listener rules that forward to the group; those of the stack are temporary blockers."""
        groups = elbv2.describe_target_groups(TargetGroupArns=[spec.id])["TargetGroups"]
        # An emulator may list a load balancer once for each rule that forwards to the group.
        balancers = dict.fromkeys(arn for group in groups for arn in group["LoadBalancerArns"])
        return [
            _rule(elbv2, rule, balancer, spec.suffix)
            for balancer in balancers
            for listener in _listeners(elbv2, balancer)
            for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            if spec.id in str(rule["Actions"])
        ]

    def parting(self, old: Doc, new: Doc) -> Doc:
        """Return a lenient health check for a deposed group, if the new group's check has another path.

        During the cutover, tasks of the new group are in the old group too, and may answer its path with 404.
        """
        moved = old.get("HealthCheckPath") != new.get("HealthCheckPath")
        return _LENIENT if moved and old.get("Protocol") == new.get("Protocol") else {}

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """Keep the lenient health check of a group that is used again until the phase DROP of the cutover."""
        is_lenient = beat < Beat.DROP and covers(seen, _LENIENT)
        return wanted | _LENIENT if is_lenient else wanted


class TargetGroupAttributes(Setting):
    """The attributes of a target group, such as its deregistration delay. A call of its own sets them."""

    service, key = "elbv2", "TargetGroupArn"
    members = TARGET_GROUP_ATTRIBUTES
    absent = NO_GROUP
    resource, fills = "targetgroup", ("{TargetGroupArn}",)
    calls = calling(
        read="DescribeTargetGroupAttributes",
        create="ModifyTargetGroupAttributes",
        update="ModifyTargetGroupAttributes",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the attributes by name (DescribeTargetGroupAttributes)."""
        arn = spec.props["TargetGroupArn"]
        listed = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return {"TargetGroupArn": arn, "Attributes": mapping(listed)}

    def put(self, elbv2: Any, props: Doc) -> None:
        """Set the attributes (ModifyTargetGroupAttributes)."""
        wanted = pairs(props["Attributes"])
        elbv2.modify_target_group_attributes(TargetGroupArn=props["TargetGroupArn"], Attributes=wanted)


def _listeners(elbv2: Any, balancer: str) -> list[Doc]:
    """Return the listeners of a load balancer; none if it is gone: a group lists it for a while longer."""
    try:
        return list(elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"])
    except ClientError as error:
        if code_of(error) not in NO_BALANCER:
            raise
        return []


def _rule(elbv2: Any, rule: Doc, balancer: str, suffix: str) -> Holder:
    """Return a rule as a blocker, with the command that deletes it.

    A default rule has no tags and is deleted with its listener. So the listener's tags say whose it is.
    """
    arn = rule["RuleArn"]
    listener = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
    answer = elbv2.describe_tags(ResourceArns=[listener if rule["IsDefault"] else arn])
    # A rule that has been deleted in the meantime has no tags.
    tags = mapping([tag for one in answer["TagDescriptions"] for tag in one["Tags"]])
    end = f"delete-rule --rule-arn {arn}"
    if rule["IsDefault"]:
        end = f"delete-listener --listener-arn {listener}"
    return Holder(
        f"the rule {arn} of priority {rule['Priority']}",
        bears(tags, suffix),
        f"`aws elbv2 {end} --region {elbv2.region}`",
        part_of=balancer,
    )


def _mark(tags: Mapping[str, str]) -> list[str | None]:
    # The tags that say whose resource it is: project, stack, tool, region and logical id.
    return [tags.get(key) for key in (*owner_tags(""), REGION_TAG, NODE_TAG)]


def _group(doc: Doc) -> Doc:
    return {**doc, "Name": doc["TargetGroupName"], "FullName": full_name(doc, "TargetGroupArn")}
