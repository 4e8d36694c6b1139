"""WAFv2: the web ACL of the CloudFront distribution, and its logging; both are in us-east-1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, cast

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE, Doc, MonthlyCharge, PricedResources, Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import has_stack_tags
from provisioner.resources.field_owners.edge import WEB_ACL, WEB_ACL_LOG
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import WAFV2, CloudFront

if TYPE_CHECKING:
    from types_boto3_wafv2.type_defs import LoggingConfigurationTypeDef

# The scope of a web ACL for CloudFront; its API calls go to us-east-1 only.
SCOPE: Final = "CLOUDFRONT"
_NOT_FOUND = codes("WAFNonexistentItemException")
# Another change came between reading the lock token and using it: the retry reads the token again.
_STALE = codes("WAFOptimisticLockException")
# terraform-provider-aws wafv2/web_acl.go and service_package.go: 5 min.
_NOT_VISIBLE_YET = codes(
    "WAFUnavailableEntityException",
    "WAFTagOperationException",
    "WAFTagOperationInternalErrorException",
    "WAFServiceLinkedRoleErrorException",
)


def _charges(props: Doc, _resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a web ACL and its rules by the month."""
    yield MonthlyCharge.flat("web firewall", "firewall_month", 1)
    yield MonthlyCharge.flat("web firewall", "firewall_rule_month", len(props.get("Rules") or []))


class WebACL(ResourceType):
    """A web ACL: the rules by which WAF inspects every request before CloudFront."""

    service, id_paths, name_property, noun = "wafv2", "ARN", "Name", "webacl"
    max_name_length = 128
    pricing = Pricing(_charges, by_use="requests through the firewall")
    ownership = WEB_ACL
    immutable = frozenset({"Name", "Scope"})
    exclusive = frozenset({"Rules"})
    replacing_calls = {"UpdateWebACL": ""}
    # The scope decides which list the web ACL is in; AWS does not return it.
    write_only = frozenset({"Scope"})
    not_found_codes = _NOT_FOUND
    already_exists_codes = codes("WAFDuplicateItemException")
    retryable_codes = {
        "create": _NOT_VISIBLE_YET,
        "update": _NOT_VISIBLE_YET | _STALE,
        # The distribution was detached from it only a moment ago (terraform-provider-aws wafv2/web_acl.go: 5
        # min).
        "delete": _STALE | codes("WAFAssociatedItemException"),
    }
    unblocked_codes = _STALE
    timeout = minutes(15)
    iam_type, arn_properties = "webacl", ("global", "{Name}")
    operations = declare_operations(
        read="GetWebACL ListTagsForResource ListWebACLs",
        create="CreateWebACL",
        read_before_replace="GetWebACL",
        update="UpdateWebACL",
        retag="TagResource UntagResource",
        delete="DeleteWebACL ListWebACLs",
    )

    def read(self, wafv2: WAFV2, spec: ResourceSpec) -> JsonObject | None:
        """Read the web ACL and its tags; find it by its name where its id is not known yet."""
        id_ = spec.id.rpartition("/")[2] or (_find_summary(wafv2, spec.props["Name"]) or {}).get("Id")
        if not id_:
            return None
        actual = wafv2.get_web_acl(Name=spec.props["Name"], Scope=SCOPE, Id=id_)["WebACL"]
        return {**actual, "Tags": read_tags(wafv2, spec, actual["ARN"], lambda: _list_tags(wafv2, actual["ARN"]))}

    def create(self, wafv2: WAFV2, spec: ResourceSpec) -> JsonObject:
        """Create the web ACL with CreateWebACL."""
        reply = wafv2.create_web_acl(**spec.props, Tags=pairs(spec.tags))
        return {**spec.props, "ARN": reply["Summary"]["ARN"]}

    def read_before_replace(self, wafv2: WAFV2, spec: ResourceSpec) -> JsonObject | None:
        """Read the web ACL as it is now, with the lock token that an update needs."""
        reply = wafv2.get_web_acl(Name=spec.props["Name"], Scope=SCOPE, Id=spec.id.rpartition("/")[2])
        return {**reply["WebACL"], "LockToken": reply["LockToken"]}

    def update(self, wafv2: WAFV2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the whole web ACL, with the lock token of the version on which the change is based."""
        if spec.live:
            wafv2.update_web_acl(**spec.props)

    def retag(self, wafv2: WAFV2, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        if put:
            wafv2.tag_resource(ResourceARN=spec.id, Tags=pairs(put))
        if removed_keys := list(drop):
            wafv2.untag_resource(ResourceARN=spec.id, TagKeys=removed_keys)

    def delete(self, wafv2: WAFV2, spec: ResourceSpec) -> None:
        """Delete the web ACL, with its current lock token."""
        if summary := _find_summary(wafv2, spec.props["Name"]):
            wafv2.delete_web_acl(Name=summary["Name"], Scope=SCOPE, Id=summary["Id"], LockToken=summary["LockToken"])

    def blockers(self, wafv2: WAFV2, spec: ResourceSpec) -> list[Blocker]:
        """Return the distributions that use the web ACL; one of this stack is only a temporary blocker."""
        return [
            Blocker(f"the distribution {id_}", has_stack_tags(tags, spec.suffix))
            for id_, tags in _distributions_using(sibling_client(wafv2, CloudFront), spec.id)
        ]

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Put the rules into a mapping by name; their order does not matter, as each has a priority."""
        return {**actual, "Rules": {rule["Name"]: rule for rule in actual.get("Rules", [])}}


def _find_summary(wafv2: WAFV2, name: str) -> JsonObject | None:
    """Return the list entry of the web ACL with this name, lock token included; None if there is none."""
    summaries = wafv2.list_web_acls(Scope=SCOPE)["WebACLs"]
    return next((dict(summary) for summary in summaries if summary["Name"] == name), None)


class WebACLLog(ResourceType):
    """The logging configuration of a web ACL: where WAF writes the requests that its rules matched."""

    service, id_paths = "wafv2", "ResourceArn"
    pricing = FREE
    ownership = WEB_ACL_LOG
    tagged = False
    replacing_calls = {"PutLoggingConfiguration": "LoggingConfiguration"}
    unique_properties = ("ResourceArn",)
    lookup_properties = ("ResourceArn",)
    immutable = frozenset({"ResourceArn"})
    not_found_codes = _NOT_FOUND
    # The first logging configuration of an account may come before AWS has made WAF's service-linked role.
    retryable_codes = {"create": _NOT_VISIBLE_YET, "update": _NOT_VISIBLE_YET | _STALE, "delete": _STALE}
    iam_type, arn_properties = "webacl", ("global", "{ResourceArn}")
    operations = declare_operations(
        read="GetLoggingConfiguration",
        create="PutLoggingConfiguration",
        update="PutLoggingConfiguration",
        delete="DeleteLoggingConfiguration",
    )

    def read(self, wafv2: WAFV2, spec: ResourceSpec) -> JsonObject | None:
        """Read the logging configuration with GetLoggingConfiguration."""
        arn = spec.props["ResourceArn"]
        return dict(wafv2.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"])

    def create(self, wafv2: WAFV2, spec: ResourceSpec) -> JsonObject:
        """Set the logging configuration with PutLoggingConfiguration."""
        wafv2.put_logging_configuration(LoggingConfiguration=cast("LoggingConfigurationTypeDef", spec.props))
        return dict(spec.props)

    def update(self, wafv2: WAFV2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the logging configuration with PutLoggingConfiguration."""
        self.create(wafv2, spec)

    def delete(self, wafv2: WAFV2, spec: ResourceSpec) -> None:
        """Delete the logging configuration with DeleteLoggingConfiguration."""
        wafv2.delete_logging_configuration(ResourceArn=spec.id)


def _list_tags(wafv2: WAFV2, arn: str) -> dict[str, str]:
    return mapping(wafv2.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"])


def _distributions_using(cloudfront: CloudFront, arn: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the id and tags of each distribution that uses the web ACL.

    The Distribution resource type makes the same calls, so their answers are shared.
    """
    for distribution in cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []:
        if distribution.get("WebACLId") == arn:
            tags = cloudfront.list_tags_for_resource(Resource=distribution["ARN"])["Tags"]["Items"]
            yield distribution["Id"], mapping(tags)
