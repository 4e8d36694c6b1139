"""For whose sake a record that proves a name stays: ACM asks for the same one in every certificate of it.

ACM user guide, DNS validation: the record is made of the account and the name, whatever the region, and each
certificate is renewed by it for as long as it stands. Certificates of regions that are not asked may live by
it too (aws/aws-cdk#2632, #11201), so it is never deleted: it costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import beside
from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.tagging import GLOBAL_REGION
from provisioner.kinds.tags import mapping
from provisioner.names import bears

# What is asked here, by service: `policy` grants it.
CALLS = {"acm": ("DescribeCertificate", "ListCertificates", "ListTagsForCertificate")}
# The end of every such record's value (ACM user guide, DNS validation).
_ACM = ".acm-validations.aws"
# botocore acm KeyAlgorithm; ListCertificates leaves all but the first two out unless they are named.
KEY_TYPES = (
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)
_GONE = frozenset({"ResourceNotFoundException"})
_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})


def is_proof(props: Doc) -> bool:
    """Whether a name's records are there for ACM alone."""
    values = [
        value["Value"]
        for one in props.get("Records") or []
        if one.get("Type") == "CNAME"
        for value in one.get("ResourceRecords") or []
    ]
    return bool(values) and all(str(one).rstrip(".").endswith(_ACM) for one in values)


def users(client: Any, it: Item) -> str:
    """The certificates of others that live by a record, in words, and that other regions were not asked."""
    own = beside(client, "acm").region
    regions = tuple(dict.fromkeys((own, GLOBAL_REGION)))
    elsewhere = f"any certificate for its name in regions other than {' and '.join(regions)}, not asked"
    try:
        found = [arn for region in regions for arn in _living_by(client, region, it)]
    except ClientError as error:
        if code_of(error) not in _DENIED:
            raise
        return f"any certificate for its name: ACM was not asked ({code_of(error)})"
    return ", ".join([*(f"the certificate {arn}" for arn in found), elsewhere])


def _living_by(client: Any, region: str, it: Item) -> Iterator[str]:
    """ListCertificates, and DescribeCertificate of each that may be for the name: those of others."""
    acm = beside(client, "acm", region)
    record = _low(it.props["Name"])
    listed = acm.list_certificates(Includes={"keyTypes": list(KEY_TYPES)})["CertificateSummaryList"]
    for arn in (one["CertificateArn"] for one in listed if _may_be_for(one, record.partition(".")[2])):
        try:
            told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            tags = mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            continue
        if record in _records(told) and not bears(tags, it.suffix):
            yield str(arn)


def _may_be_for(summary: Doc, name: str) -> bool:
    """A wildcard is proven by the record of the name that it is under; of many names not all are listed."""
    listed = {summary["DomainName"], *summary.get("SubjectAlternativeNameSummaries", [])}
    told = {_low(one).removeprefix("*.") for one in listed}
    return name in told or bool(summary.get("HasAdditionalSubjectAlternativeNames"))


def _records(certificate: Doc) -> set[str]:
    options = certificate.get("DomainValidationOptions", [])
    return {_low(one["ResourceRecord"]["Name"]) for one in options if one.get("ResourceRecord")}


def _low(name: str) -> str:
    return str(name).rstrip(".").lower()
