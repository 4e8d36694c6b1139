"""Certificates that need a validation record: ACM asks for the same record for every certificate of a name.

ACM user guide, DNS validation: the record depends on the account and the name, not on the region. ACM renews
each certificate by it as long as the record exists. Certificates in regions that are not read may need it too
(aws/aws-cdk#2632, #11201), so it is never deleted: it costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Client, sibling_client
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import has_stack_tags
from provisioner.resources.record_protections import normalize_name
from provisioner.resources.tags import GLOBAL_REGION, mapping
from provisioner.service_clients import ACM

# The AWS operations that this module calls, by service: `policy` grants them.
CALLS = {"acm": ("DescribeCertificate", "ListCertificates", "ListTagsForCertificate")}
# The end of every validation record's value (ACM user guide, DNS validation).
_ACM_VALUE_END = ".acm-validations.aws"
# botocore acm KeyAlgorithm; ListCertificates leaves out all but the first two unless they are named.
KEY_TYPES: Final = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
_NOT_FOUND = frozenset({"ResourceNotFoundException"})
_ACCESS_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})


def is_validation_record(props: JsonObject) -> bool:
    """Return whether the CNAME records of a name are all validation records of ACM."""
    values = [
        value["Value"]
        for record in props.get("Records") or []
        if record.get("Type") == "CNAME"
        for value in record.get("ResourceRecords") or []
    ]
    return bool(values) and all(str(record).rstrip(".").endswith(_ACM_VALUE_END) for record in values)


def describe_dependent_certificates(client: Client, spec: ResourceSpec) -> str:
    """Return, as a phrase, the certificates outside of the stack that need a record.

    The phrase also says which regions were read, as certificates of other regions may need it too.
    """
    stack_region = sibling_client(client, ACM).region
    regions = tuple(dict.fromkeys((stack_region, GLOBAL_REGION)))
    unread_regions = f"any certificate for its name in regions other than {' and '.join(regions)}, not asked"
    try:
        arns = [arn for region in regions for arn in _dependent_certificate_arns(client, region, spec)]
    except ClientError as error:
        if code_of(error) not in _ACCESS_DENIED:
            raise
        return f"any certificate for its name: ACM was not asked ({code_of(error)})"
    return ", ".join([*(f"the certificate {arn}" for arn in arns), unread_regions])


def _dependent_certificate_arns(client: Client, region: str, spec: ResourceSpec) -> Iterator[str]:
    """Yield the ARNs of certificates in a region that need the record and are not of this stack."""
    acm = sibling_client(client, ACM, region)
    record_name = normalize_name(spec.props["Name"])
    summaries = acm.list_certificates(Includes={"keyTypes": KEY_TYPES})["CertificateSummaryList"]
    validated_name = record_name.partition(".")[2]
    candidates = [summary["CertificateArn"] for summary in summaries if _may_be_for(summary, validated_name)]
    for arn in candidates:
        try:
            certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            tags = mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
        except ClientError as error:
            if code_of(error) not in _NOT_FOUND:
                raise
            continue
        if record_name in _validation_record_names(certificate) and not has_stack_tags(tags, spec.suffix):
            yield str(arn)


def _may_be_for(summary: JsonObject, name: str) -> bool:
    """Return whether a listed certificate may be for the name.

    The record of a name also validates its wildcard. A list entry with more names than it shows may be for
    any.
    """
    listed_names = {summary["DomainName"], *summary.get("SubjectAlternativeNameSummaries", [])}
    names = {normalize_name(listed_name).removeprefix("*.") for listed_name in listed_names}
    return name in names or bool(summary.get("HasAdditionalSubjectAlternativeNames"))


def _validation_record_names(certificate: JsonObject) -> set[str]:
    """Return the names of the certificate's validation records, as names are compared."""
    options = certificate.get("DomainValidationOptions", [])
    return {normalize_name(option["ResourceRecord"]["Name"]) for option in options if option.get("ResourceRecord")}
