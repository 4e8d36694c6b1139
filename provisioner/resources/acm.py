"""ACM: a certificate, the DNS records that validate its names, and the wait until it is issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import NODE_TAG, has_owner
from provisioner.resources.field_owners.edge import CERTIFICATE
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import ACM
from state.errors import ProvisionerError

CERTIFICATE_NOT_FOUND = codes("ResourceNotFoundException")
# Error codes of CloudFront and ELB for a certificate that is too new for them to know it.
_UNKNOWN_TO_OTHER_SERVICES = codes("InvalidViewerCertificate", "CertificateNotFound", "UnsupportedCertificate")
# botocore acm CertificateStatus: a certificate never leaves one of these statuses again.
_FINAL_FAILURES = frozenset({"EXPIRED", "FAILED", "INACTIVE", "REVOKED", "VALIDATION_TIMED_OUT"})


# botocore acm CertificateStatus
_STATUS_CLASSES = (
    StatusClasses(
        "Status",
        in_lower_case("ISSUED"),
        in_lower_case("PENDING_VALIDATION"),
        in_lower_case("INACTIVE EXPIRED VALIDATION_TIMED_OUT REVOKED FAILED"),
    ),
)


class Certificate(ResourceType):
    """A public certificate of ACM, validated by DNS records.

    `read` adds `Proofs` to what AWS returns: the validation record of each name, in the order in which the
    names were requested.
    """

    service, id_paths = "acm", "CertificateArn"
    pricing = FREE
    ownership = CERTIFICATE
    unique_properties = ()
    write_only = frozenset({"ValidationMethod"})
    # ACM names the validation records some seconds after the request (terraform-provider-aws
    # acm/certificate.go: 5 min).
    ready, failed = {"Proof": "known"}, {"Status": _FINAL_FAILURES}
    status_classes = _STATUS_CLASSES
    on_failure = "replace"
    not_found_codes = CERTIFICATE_NOT_FOUND | _UNKNOWN_TO_OTHER_SERVICES
    consistency_seconds = 60
    # A service that used the certificate releases it slowly (terraform-provider-aws acm/certificate.go: 20
    # min).
    retryable_codes = {"delete": codes("ResourceInUseException", "ConflictException")}
    typical_create_seconds, timeout = 5, minutes(30)
    iam_type = "certificate"
    operations = declare_operations(
        read="DescribeCertificate ListCertificates ListTagsForCertificate",
        create="RequestCertificate",
        retag="AddTagsToCertificate RemoveTagsFromCertificate",
        delete="DeleteCertificate",
    )

    def read(self, acm: ACM, spec: ResourceSpec) -> JsonObject | None:
        """Read the certificate with DescribeCertificate.

        Where its ARN is not known yet, find a certificate for one of our names that has our tags.
        """
        arn = spec.id or self._find_arn(acm, spec)
        if not arn:
            return None
        actual = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        tags = read_tags(acm, spec, arn, lambda: _list_tags(acm, arn))
        records = _validation_records(actual, spec.props)
        return {**actual, "Proofs": records, "Proof": "known" if all(records) else "awaited", "Tags": tags}

    def _find_arn(self, acm: ACM, spec: ResourceSpec) -> str:
        """Return the ARN of the certificate with one of our names and our tags, or "" if there is none."""
        desired = _certificate_names(spec.props)
        for summary in acm.list_certificates()["CertificateSummaryList"]:
            names = {summary["DomainName"], *summary.get("SubjectAlternativeNameSummaries", [])}
            if summary["CertificateArn"] not in spec.excluded_ids and desired & names:
                arn = summary["CertificateArn"]
                tags = mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
                if has_owner(tags, spec.tags) and tags.get(NODE_TAG) == spec.logical_id:
                    return str(arn)
        return ""

    def create(self, acm: ACM, spec: ResourceSpec) -> JsonObject:
        """Request the certificate; for an hour the token makes a repeated request return the same one."""
        reply = acm.request_certificate(**spec.props, IdempotencyToken=spec.token, Tags=pairs(spec.tags))
        return {**spec.props, "CertificateArn": reply["CertificateArn"]}

    def retag(self, acm: ACM, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with AddTagsToCertificate and RemoveTagsFromCertificate."""
        if put:
            acm.add_tags_to_certificate(CertificateArn=spec.id, Tags=pairs(put))
        if removed_keys := list(drop):
            acm.remove_tags_from_certificate(CertificateArn=spec.id, Tags=[{"Key": name} for name in removed_keys])

    def delete(self, acm: ACM, spec: ResourceSpec) -> None:
        """Delete the certificate."""
        acm.delete_certificate(CertificateArn=spec.id)

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Put all names into one sorted list, as AWS repeats the domain name among the alternative names."""
        return {**actual, "SubjectAlternativeNames": sorted(_certificate_names(actual))}


class Issuance(ResourceType):
    """The issuance of a certificate: it is ready once ACM has found every validation record."""

    service, id_paths = "acm", "CertificateArn"
    pricing = FREE
    ownership = CERTIFICATE
    tagged, deleted_with_parent = False, True
    lookup_properties = ("CertificateArn",)
    ready, failed = {"Status": "ISSUED"}, {"Status": _FINAL_FAILURES}
    status_classes = _STATUS_CLASSES
    not_found_codes = CERTIFICATE_NOT_FOUND | _UNKNOWN_TO_OTHER_SERVICES
    # terraform-provider-aws acm/certificate_validation.go: 75 min.
    typical_create_seconds, timeout = 60, minutes(75)
    iam_type = "certificate"
    operations = declare_operations(read="DescribeCertificate", create="DescribeCertificate")

    def read(self, acm: ACM, spec: ResourceSpec) -> JsonObject | None:
        """Read the certificate with DescribeCertificate."""
        arn = spec.props["CertificateArn"]
        return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])

    def create(self, acm: ACM, spec: ResourceSpec) -> JsonObject:
        """Read the certificate: nothing is created, the engine only waits until it is issued."""
        return self.read(acm, spec) or {}

    def delete(self, acm: ACM, spec: ResourceSpec) -> None:
        """Do nothing: the issuance ends with its certificate."""

    def failure(self, acm: ACM, spec: ResourceSpec, actual: JsonObject) -> ProvisionerError:
        """Return an error with ACM's reason, such as a CAA record that does not allow Amazon."""
        reason = actual.get("FailureReason") or actual["Status"]
        return ProvisionerError(
            f"The certificate for {', '.join(sorted(_certificate_names(actual)))} was not issued: {reason}.",
            "Correct that in DNS, then run the same command again: a new one is requested.",
        )


class IssuanceByHand(Issuance):
    """The issuance of a certificate whose validation records a person makes, as the stack has no hosted zone.

    `Besides` lists further records that the person is asked to make at the same time.
    """

    write_only = frozenset({"Besides"})
    operations = declare_operations(read="DescribeCertificate", create="DescribeCertificate")

    def read(self, acm: ACM, spec: ResourceSpec) -> JsonObject | None:
        """Read the certificate with DescribeCertificate, and add `Besides` as declared."""
        return {**(super().read(acm, spec) or {}), "Besides": spec.props["Besides"]}

    def required_action(self, actual: JsonObject) -> str:
        """Return which DNS records a person has to make, until ACM has found them all; "" after that."""
        if actual["Status"] != "PENDING_VALIDATION":
            return ""
        options = {option["DomainName"]: option for option in actual.get("DomainValidationOptions", [])}
        pending = (option for _, option in sorted(options.items()) if option.get("ValidationStatus") != "SUCCESS")
        records = [option["ResourceRecord"] for option in pending if "ResourceRecord" in option]
        lines = [f"{option['Name']} {option['Type']} {option['Value']}" for option in records]
        indented_lines = [f"  {line}" for line in (*lines, *actual["Besides"])]
        return "\n".join(["Make these records in DNS, and leave them there:", *indented_lines]) if lines else ""


def _certificate_names(actual: JsonObject) -> set[str]:
    """Return every name of a certificate, in lower case."""
    names = [actual.get("DomainName"), *(actual.get("SubjectAlternativeNames") or [])]
    return {name.lower() for name in names if isinstance(name, str)}


def _validation_records(actual: JsonObject, requested: JsonObject) -> list[JsonObject]:
    """Return the validation record of each requested name; an empty one where ACM has not named it yet."""
    records = {
        option["DomainName"]: option.get("ResourceRecord") for option in actual.get("DomainValidationOptions", [])
    }
    names = [requested.get("DomainName"), *(requested.get("SubjectAlternativeNames") or [])]
    return [_without_final_dots(records.get(name)) for name in names]


def _without_final_dots(record: JsonObject | None) -> JsonObject:
    """Return a record without the final dots of its DNS names; an empty one for None."""
    return {key: value.rstrip(".") for key, value in record.items()} if record else {}


def _list_tags(acm: ACM, arn: str) -> dict[str, str]:
    return mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
