"""WAFv2: the web ACL before CloudFront, and its log; both live in us-east-1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.engine.clients import beside
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.edge import WEB_ACL, WEB_ACL_LOG
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told
from provisioner.names import bears

# The scope of a list that stands before CloudFront; it is called for in us-east-1 only.
SCOPE = "CLOUDFRONT"
_GONE = codes("WAFNonexistentItemException")
# Another change came between reading the token and using it: the token is read anew.
_STALE = codes("WAFOptimisticLockException")
# terraform-provider-aws wafv2/web_acl.go and service_package.go: 5 min.
_UNSETTLED = codes(
    "WAFUnavailableEntityException",
    "WAFTagOperationException",
    "WAFTagOperationInternalErrorException",
    "WAFServiceLinkedRoleErrorException",
)


class WebACL(Kind):
    """A list of rules that every request of a viewer passes first."""

    service, key, named, noun = "wafv2", "ARN", "Name", "webacl"
    members = WEB_ACL
    fixed = frozenset({"Name", "Scope"})
    whole = frozenset({"Rules"})
    replaces = {"UpdateWebACL": ""}
    # The scope is where it is listed; AWS does not tell it.
    unread = frozenset({"Scope"})
    absent = _GONE
    duplicate = codes("WAFDuplicateItemException")
    transient = {
        "create": _UNSETTLED,
        "update": _UNSETTLED | _STALE,
        # The distribution has let go of it a moment ago (terraform-provider-aws wafv2/web_acl.go: 5 min).
        "delete": _STALE | codes("WAFAssociatedItemException"),
    }
    unheld = _STALE
    patience = minutes(15)
    resource, fills = "webacl", ("global", "{Name}")
    calls = calling(
        read="GetWebACL ListTagsForResource ListWebACLs",
        create="CreateWebACL",
        standing="GetWebACL",
        update="UpdateWebACL",
        retag="TagResource UntagResource",
        delete="DeleteWebACL ListWebACLs",
    )

    def read(self, wafv2: Any, it: Item) -> Doc | None:
        """GetWebACL and its tags; before them ListWebACLs, where its id is not known."""
        id_ = it.id.rpartition("/")[2] or (_listed(wafv2, it.props["Name"]) or {}).get("Id")
        if not id_:
            return None
        doc = wafv2.get_web_acl(Name=it.props["Name"], Scope=SCOPE, Id=id_)["WebACL"]
        return {**doc, "Tags": tags_told(wafv2, it, doc["ARN"], lambda: _tags(wafv2, doc["ARN"]))}

    def create(self, wafv2: Any, it: Item) -> Doc:
        """CreateWebACL."""
        made = wafv2.create_web_acl(**it.props, Tags=pairs(it.tags))
        return {**it.props, "ARN": made["Summary"]["ARN"]}

    def standing(self, wafv2: Any, it: Item) -> Doc | None:
        """GetWebACL: the list, with the token of its latest state."""
        told = wafv2.get_web_acl(Name=it.props["Name"], Scope=SCOPE, Id=it.id.rpartition("/")[2])
        return {**told["WebACL"], "LockToken": told["LockToken"]}

    def update(self, wafv2: Any, it: Item, changed: Doc) -> None:
        """UpdateWebACL: the whole list at once, with the token of the state that it is laid over."""
        if it.there:
            wafv2.update_web_acl(**it.props)

    def retag(self, wafv2: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        if put:
            wafv2.tag_resource(ResourceARN=it.id, Tags=pairs(put))
        if gone := list(drop):
            wafv2.untag_resource(ResourceARN=it.id, TagKeys=gone)

    def delete(self, wafv2: Any, it: Item) -> None:
        """DeleteWebACL, with the token of its latest state."""
        if listed := _listed(wafv2, it.props["Name"]):
            wafv2.delete_web_acl(
                Name=listed["Name"], Scope=SCOPE, Id=listed["Id"], LockToken=listed["LockToken"]
            )

    def holders(self, wafv2: Any, it: Item) -> list[Holder]:
        """ListDistributions: those that it stands before; ours lets go of it as it ends."""
        return [
            Holder(f"the distribution {id_}", bears(tags, it.suffix))
            for id_, tags in _behind(beside(wafv2, "cloudfront"), it.id)
        ]

    def canonical(self, doc: Doc) -> Doc:
        """Rules by name: their order is their priority."""
        return {**doc, "Rules": {rule["Name"]: rule for rule in doc.get("Rules", [])}}


def _listed(wafv2: Any, name: str) -> Doc | None:
    """The list of this name, with the token that its next change needs."""
    listed = wafv2.list_web_acls(Scope=SCOPE)["WebACLs"]
    return next((dict(one) for one in listed if one["Name"] == name), None)


class WebACLLog(Kind):
    """Where a web ACL writes what its rules matched."""

    service, key = "wafv2", "ResourceArn"
    members = WEB_ACL_LOG
    tagged = False
    replaces = {"PutLoggingConfiguration": "LoggingConfiguration"}
    claims = ("ResourceArn",)
    within = ("ResourceArn",)
    fixed = frozenset({"ResourceArn"})
    absent = _GONE
    # The first one of an account races the making of WAF's role for logs.
    transient = {"create": _UNSETTLED, "update": _UNSETTLED | _STALE, "delete": _STALE}
    resource, fills = "webacl", ("global", "{ResourceArn}")
    calls = calling(
        read="GetLoggingConfiguration",
        create="PutLoggingConfiguration",
        update="PutLoggingConfiguration",
        delete="DeleteLoggingConfiguration",
    )

    def read(self, wafv2: Any, it: Item) -> Doc | None:
        """GetLoggingConfiguration."""
        arn = it.props["ResourceArn"]
        return dict(wafv2.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"])

    def create(self, wafv2: Any, it: Item) -> Doc:
        """PutLoggingConfiguration."""
        wafv2.put_logging_configuration(LoggingConfiguration=it.props)
        return dict(it.props)

    def update(self, wafv2: Any, it: Item, changed: Doc) -> None:
        """PutLoggingConfiguration."""
        self.create(wafv2, it)

    def delete(self, wafv2: Any, it: Item) -> None:
        """DeleteLoggingConfiguration."""
        wafv2.delete_logging_configuration(ResourceArn=it.id)


def _tags(wafv2: Any, arn: str) -> dict[str, str]:
    return mapping(wafv2.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"])


def _behind(cloudfront: Any, arn: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each distribution behind a web ACL, and its tags; the Distribution kind asks the same."""
    for one in cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []:
        if one.get("WebACLId") == arn:
            yield one["Id"], mapping(cloudfront.list_tags_for_resource(Resource=one["ARN"])["Tags"]["Items"])
