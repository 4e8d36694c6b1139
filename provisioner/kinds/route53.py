"""Route 53: a name's records in a zone that is somebody's, and the mark that says they are ours.

Records bear no tags. Beside each name that we make stands a TXT record, `_ml-api.<name>`, made and deleted in
the same batch: what it marks is ours, also when the ledger is lost. A batch is carried out whole or not at
all, and holds CREATE and DELETE only: nothing is ever written over.
"""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes
from provisioner.kinds.members.edge import DNS_NAME
from provisioner.kinds.proof_users import is_proof, users
from provisioner.names import PROJECT

# What answers for a name; other types (TXT, MX, CAA) may stand beside them.
_TYPES = ("A", "AAAA", "CNAME")
_TTL = 300
# A name's children, its mark among them, follow it in the list (Route 53 API reference,
# ListResourceRecordSets).
_NEAR = 100


# The zone is still at an earlier change (Route 53 API reference, ChangeResourceRecordSets). While somebody
# turns its accelerated recovery on or off, it takes none for minutes (go-to-k/cdkd#1467, #1483 tell the
# message alone; botocore 1.44.5, AcceleratedRecoveryStatus). DNSSEC refuses no change of records.
_LOCKED = codes("PriorRequestNotComplete", "*: is marked disabled for mutation")


class DnsName(Kind):
    """What a name in a hosted zone leads to, in all of its records."""

    service, key = "route53", ("HostedZoneId", "Name")
    members = DNS_NAME
    within = claims = ("HostedZoneId", "Name")
    fixed = frozenset({"HostedZoneId", "Name"})
    unread = frozenset({"Mark"})
    borrows = True
    ready = {"Status": "INSYNC"}
    # botocore route53 ChangeStatus
    states = (States("Status", words("INSYNC"), words("PENDING")),)
    # Taken over by somebody: they lead elsewhere, and only our mark was removed.
    lingers = {"Ours": False}
    why_lingers = "its records are not ours any more"
    absent = codes("NoSuchHostedZone")
    when_anothers = (
        "Delete the records of {Name} in the hosted zone {HostedZoneId}, or leave the name out of "
        "`domain.names`; then run the same command again."
    )
    duplicate = codes("InvalidChangeBatch: already exists")
    transient = dict.fromkeys(("create", "update", "delete"), _LOCKED)
    takes = 30
    resource, fills = "hostedzone", ("{HostedZoneId}",)
    calls = calling(
        read="ListResourceRecordSets GetChange",
        create="ChangeResourceRecordSets",
        update="ChangeResourceRecordSets ListResourceRecordSets",
        delete="ChangeResourceRecordSets ListResourceRecordSets",
        protections="ListResourceRecordSetProtections",
        lift="DeleteResourceRecordSetProtections ListResourceRecordSetProtections",
    )

    def read(self, route53: Any, it: Item) -> Doc | None:
        """ListResourceRecordSets; after a change of this run, GetChange until all servers know it."""
        records, mark = _standing(route53, it)
        if not records and not mark:
            return None
        change = it.reply.get("Change")
        status = route53.get_change(Id=change)["ChangeInfo"]["Status"] if change else "INSYNC"
        ours = mark is not None and _is_ours(mark, it)
        tags = dict(it.tags) if ours else None
        return {**_named(it), "Records": records, "Tags": tags, "Ours": ours, "Status": status}

    def create(self, route53: Any, it: Item) -> Doc:
        """ChangeResourceRecordSets: CREATE, which is refused where there is one."""
        wanted = [*_sets(it.props), _mark(it)]
        made = _change(route53, it, [("CREATE", one) for one in wanted])
        return {**it.props, "Change": made["ChangeInfo"]["Id"]}

    def update(self, route53: Any, it: Item, changed: Doc) -> Doc:
        """DELETE of what is seen and CREATE of what is wanted, in one batch: AWS refuses it if that moved."""
        records, _ = _standing(route53, it)
        seen = [_line(one) for one in records]
        wanted = [_line(one) for one in _sets(it.props)]
        going = [("DELETE", one) for one in records if _line(one) not in wanted]
        coming = [("CREATE", one) for one in _sets(it.props) if _line(one) not in seen]
        # Nothing is left to do where the reply to an earlier try was lost: AWS takes no empty batch.
        return {"Change": _change(route53, it, going + coming)["ChangeInfo"]["Id"]} if going + coming else {}

    def outlives(self, props: Doc) -> str:
        """What proves a name to ACM."""
        if not is_proof(props):
            return ""
        return (
            f"{props['Name']}: certificates of the account, in any region, may be renewed by it; it is free"
        )

    def keeps(self, client: Any, it: Item) -> str:
        """What proves a name to ACM stays, with its mark: the stack takes it up again if it comes back."""
        return users(client, it) if is_proof(it.props) else ""

    def protections(self, route53: Any, it: Item) -> list[str]:
        """ListResourceRecordSetProtections: of its records, and of the mark beside them.

        What proves a name stays anyway.
        """
        types = [] if is_proof(it.props) else [one["RecordType"] for one in _protected(route53, it)]
        return [f"Route 53 protects its records of type {', '.join(types)}"] if types else []

    def lift(self, route53: Any, it: Item) -> None:
        """DeleteResourceRecordSetProtections: of its own, whatever else the zone protects."""
        if found := _protected(route53, it):
            route53.delete_resource_record_set_protections(
                HostedZoneId=it.props["HostedZoneId"], Protections=found
            )

    def delete(self, route53: Any, it: Item) -> None:
        """DELETE of the mark, and of those records that are as we made them.

        That all servers know is not waited for: who asked a moment ago remembers it longer than that.
        """
        records, mark = _standing(route53, it)
        ours = [_line(one) for one in _sets(it.props)]
        going = [("DELETE", one) for one in records if _line(one) in ours]
        if mark and _is_ours(mark, it):
            _change(route53, it, [*going, ("DELETE", mark)])

    def canonical(self, doc: Doc) -> Doc:
        """Each record in one line: names without their last dot, in lower case."""
        return {**doc, "Records": [_line(one) for one in doc.get("Records", [])]}

    def about(self, doc: Doc) -> str:
        """Where it leads."""
        told = [_line(one) for one in doc["Records"]]
        return f"{doc['Name']} is {', '.join(told) or 'marked by another'}"


def _named(it: Item) -> Doc:
    return {key: it.props[key] for key in DnsName.claims}


def _standing(route53: Any, it: Item) -> tuple[list[Doc], Doc | None]:
    """The records that answer for the name, and the mark beside them."""
    name = it.props["Name"]
    listed = _from(route53, it.props["HostedZoneId"], name, _NEAR)
    records = [one for one in listed if _is_at(one, name) and one["Type"] in _TYPES]
    if len(listed) == _NEAR:
        listed += _from(route53, it.props["HostedZoneId"], _marked(name), 1)
    marks = (one for one in listed if _is_at(one, _marked(name)) and one["Type"] == "TXT")
    return records, next(marks, None)


def _from(route53: Any, zone: str, name: str, most: int) -> list[Doc]:
    told = route53.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=name, PaginationConfig={"MaxItems": most, "PageSize": most}
    )
    return list(told["ResourceRecordSets"])


def _protected(route53: Any, it: Item) -> list[Doc]:
    """Names and types that nobody may change (botocore 1.44.5, CreateResourceRecordSetProtections)."""
    listed = route53.list_resource_record_set_protections(HostedZoneId=it.props["HostedZoneId"])
    ours = {_low(it.props["Name"]): _TYPES, _low(_marked(it.props["Name"])): ("TXT",)}
    return [
        {key: one[key] for key in ("RecordName", "RecordType")}
        for one in listed["ResourceRecordSetProtections"]
        if one["RecordType"] in ours.get(_low(one["RecordName"]), ())
    ]


def _change(route53: Any, it: Item, changes: list[tuple[str, Doc]]) -> Doc:
    batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    return dict(
        route53.change_resource_record_sets(
            HostedZoneId=it.props["HostedZoneId"], ChangeBatch={"Changes": batch}
        )
    )


def _sets(props: Doc) -> list[Doc]:
    """The wanted records as Route 53 takes them; an alias has no time to live of its own."""
    ttl = [{} if "AliasTarget" in one else {"TTL": _TTL} for one in props["Records"]]
    return [{"Name": props["Name"], **own, **one} for own, one in zip(ttl, props["Records"], strict=True)]


def _marked(name: str) -> str:
    return f"_{PROJECT}.{name}"


def _mark(it: Item) -> Doc:
    """Whose the name is, as a TXT record."""
    told = [{"Value": f'"{it.props["Mark"]}"'}]
    return {"Name": _marked(it.props["Name"]), "Type": "TXT", "TTL": _TTL, "ResourceRecords": told}


def _is_ours(mark: Doc, it: Item) -> bool:
    return bool(mark["ResourceRecords"] == _mark(it)["ResourceRecords"])


def _is_at(record: Doc, name: str) -> bool:
    return bool(_low(record["Name"]) == _low(name))


def _low(name: str) -> str:
    return str(name).rstrip(".").lower()


def _line(record: Doc) -> str:
    """A record in one line; how long it may be kept is nobody's concern, a routing policy is."""
    target = record.get("AliasTarget") or {}
    values = sorted(_low(one["Value"]) for one in record.get("ResourceRecords", []))
    if target:
        values = ["alias of", _low(target["DNSName"]).removeprefix("dualstack.")]
        values += ["while it is well"] if target.get("EvaluateTargetHealth") else []
    usual = {"Name", "Type", "TTL", "AliasTarget", "ResourceRecords"}
    policy = [f"{key}={value}" for key, value in sorted(record.items()) if key not in usual]
    return " ".join([record["Type"], *values, *policy])
