"""ACM: a certificate, the DNS records that validate its names, and the wait until it is issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import NODE_TAG, has_owner
from provisioner.resources.ownership.edge import CERTIFICATE
from provisioner.resources.tagging import read_tags
from provisioner.resources.tags import mapping, pairs
from state.errors import ProvisionerError

NO_CERTIFICATE = codes("ResourceNotFoundException")
# Error codes of CloudFront and ELB for a certificate that is too new for them to know it.
_UNKNOWN_THERE = codes("InvalidViewerCertificate", "CertificateNotFound", "UnsupportedCertificate")
# botocore acm CertificateStatus: a certificate never leaves one of these statuses again.
_OVER = frozenset({"EXPIRED", "FAILED", "INACTIVE", "REVOKED", "VALIDATION_TIMED_OUT"})


# botocore acm CertificateStatus
_STATES = (
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
    ownership = CERTIFICATE
    unique_properties = ()
    write_only = frozenset({"ValidationMethod"})
    # ACM names the validation records some seconds after the request (terraform-provider-aws
    # acm/certificate.go: 5 min).
    ready, failed = {"Proof": "known"}, {"Status": _OVER}
    status_classes = _STATES
    on_failure = "replace"
    not_found_codes = NO_CERTIFICATE | _UNKNOWN_THERE
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

    def read(self, acm: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the certificate with DescribeCertificate.

        Where its ARN is not known yet, find a certificate for one of our names that has our tags.
        """
        arn = spec.id or self._found(acm, spec)
        if not arn:
            return None
        actual = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        tags = read_tags(acm, spec, arn, lambda: _tags(acm, arn))
        proofs = _proofs(actual, spec.props)
        return {**actual, "Proofs": proofs, "Proof": "known" if all(proofs) else "awaited", "Tags": tags}

    def _found(self, acm: Any, spec: ResourceSpec) -> str:
        """Return the ARN of the certificate with one of our names and our tags, or "" if there is none."""
        desired = _names(spec.props)
        for one in acm.list_certificates()["CertificateSummaryList"]:
            named = {one["DomainName"], *one.get("SubjectAlternativeNameSummaries", [])}
            if one["CertificateArn"] not in spec.excluded_ids and desired & named:
                arn = one["CertificateArn"]
                tags = mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
                if has_owner(tags, spec.tags) and tags.get(NODE_TAG) == spec.logical_id:
                    return str(arn)
        return ""

    def create(self, acm: Any, spec: ResourceSpec) -> JsonObject:
        """Request the certificate; for an hour the token makes a repeated request return the same one."""
        made = acm.request_certificate(**spec.props, IdempotencyToken=spec.token, Tags=pairs(spec.tags))
        return {**spec.props, "CertificateArn": made["CertificateArn"]}

    def retag(self, acm: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with AddTagsToCertificate and RemoveTagsFromCertificate."""
        if put:
            acm.add_tags_to_certificate(CertificateArn=spec.id, Tags=pairs(put))
        if gone := [{"Key": name} for name in drop]:
            acm.remove_tags_from_certificate(CertificateArn=spec.id, Tags=gone)

    def delete(self, acm: Any, spec: ResourceSpec) -> None:
        """Delete the certificate."""
        acm.delete_certificate(CertificateArn=spec.id)

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Put all names into one sorted list, as AWS repeats the domain name among the alternative names."""
        return {**actual, "SubjectAlternativeNames": sorted(_names(actual))}


class Issuance(ResourceType):
    """The issuance of a certificate: it is ready once ACM has found every validation record."""

    service, id_paths = "acm", "CertificateArn"
    ownership = CERTIFICATE
    tagged, deleted_with_parent = False, True
    lookup_properties = ("CertificateArn",)
    ready, failed = {"Status": "ISSUED"}, {"Status": _OVER}
    status_classes = _STATES
    not_found_codes = NO_CERTIFICATE | _UNKNOWN_THERE
    # terraform-provider-aws acm/certificate_validation.go: 75 min.
    typical_create_seconds, timeout = 60, minutes(75)
    iam_type = "certificate"
    operations = declare_operations(read="DescribeCertificate", create="DescribeCertificate")

    def read(self, acm: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the certificate with DescribeCertificate."""
        arn = spec.props["CertificateArn"]
        return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])

    def create(self, acm: Any, spec: ResourceSpec) -> JsonObject:
        """Read the certificate: nothing is created, the engine only waits until it is issued."""
        return self.read(acm, spec) or {}

    def delete(self, acm: Any, spec: ResourceSpec) -> None:
        """Do nothing: the issuance ends with its certificate."""

    def failure(self, acm: Any, spec: ResourceSpec, actual: JsonObject) -> ProvisionerError:
        """Return an error with ACM's reason, such as a CAA record that does not allow Amazon."""
        why = actual.get("FailureReason") or actual["Status"]
        return ProvisionerError(
            f"The certificate for {', '.join(sorted(_names(actual)))} was not issued: {why}.",
            "Mend that in DNS, then run the same command again: a new one is requested.",
        )


class IssuanceByHand(Issuance):
    """The issuance of a certificate whose validation records a person makes, as the stack has no hosted zone.

    `Besides` lists further records that the person is asked to make at the same time.
    """

    write_only = frozenset({"Besides"})
    operations = declare_operations(read="DescribeCertificate", create="DescribeCertificate")

    def read(self, acm: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the certificate with DescribeCertificate, and add `Besides` as declared."""
        return {**(super().read(acm, spec) or {}), "Besides": spec.props["Besides"]}

    def required_action(self, actual: JsonObject) -> str:
        """Return which DNS records a person has to make, until ACM has found them all; "" after that."""
        if actual["Status"] != "PENDING_VALIDATION":
            return ""
        options = {one["DomainName"]: one for one in actual.get("DomainValidationOptions", [])}
        pending = (one for _, one in sorted(options.items()) if one.get("ValidationStatus") != "SUCCESS")
        records = [one["ResourceRecord"] for one in pending if "ResourceRecord" in one]
        lines = [f"{one['Name']} {one['Type']} {one['Value']}" for one in records]
        told = [f"  {line}" for line in (*lines, *actual["Besides"])]
        return "\n".join(["Make these records in DNS, and leave them there:", *told]) if lines else ""


def _names(actual: JsonObject) -> set[str]:
    """Return every name of a certificate, in lower case."""
    listed = [actual.get("DomainName"), *(actual.get("SubjectAlternativeNames") or [])]
    return {name.lower() for name in listed if isinstance(name, str)}


def _proofs(actual: JsonObject, asked: JsonObject) -> list[JsonObject]:
    """Return the validation record of each requested name; an empty one where ACM has not named it yet."""
    told = {one["DomainName"]: one.get("ResourceRecord") for one in actual.get("DomainValidationOptions", [])}
    names = [asked.get("DomainName"), *(asked.get("SubjectAlternativeNames") or [])]
    return [_record(told.get(name)) for name in names]


def _record(proof: JsonObject | None) -> JsonObject:
    """Return a record without the final dots of its DNS names; an empty one for None."""
    return {key: value.rstrip(".") for key, value in proof.items()} if proof else {}


def _tags(acm: Any, arn: str) -> dict[str, str]:
    return mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
