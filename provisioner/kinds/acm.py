"""ACM: a certificate, the DNS records that validate its names, and the wait until it is issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.edge import CERTIFICATE
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told
from provisioner.names import NODE_TAG, has_owner
from state.errors import ProvisionerError

NO_CERTIFICATE = codes("ResourceNotFoundException")
# Error codes of CloudFront and ELB for a certificate that is too new for them to know it.
_UNKNOWN_THERE = codes("InvalidViewerCertificate", "CertificateNotFound", "UnsupportedCertificate")
# botocore acm CertificateStatus: a certificate never leaves one of these statuses again.
_OVER = frozenset({"EXPIRED", "FAILED", "INACTIVE", "REVOKED", "VALIDATION_TIMED_OUT"})


# botocore acm CertificateStatus
_STATES = (
    States(
        "Status",
        words("ISSUED"),
        words("PENDING_VALIDATION"),
        words("INACTIVE EXPIRED VALIDATION_TIMED_OUT REVOKED FAILED"),
    ),
)


class Certificate(Kind):
    """A public certificate of ACM, validated by DNS records.

    `read` adds `Proofs` to what AWS returns: the validation record of each name, in the order in which the
    names were requested.
    """

    service, key = "acm", "CertificateArn"
    members = CERTIFICATE
    claims = ()
    unread = frozenset({"ValidationMethod"})
    # ACM names the validation records some seconds after the request (terraform-provider-aws
    # acm/certificate.go: 5 min).
    ready, failed = {"Proof": "known"}, {"Status": _OVER}
    states = _STATES
    on_failure = "replace"
    absent = NO_CERTIFICATE | _UNKNOWN_THERE
    visible_within = 60
    # A service that used the certificate releases it slowly (terraform-provider-aws acm/certificate.go: 20
    # min).
    transient = {"delete": codes("ResourceInUseException", "ConflictException")}
    takes, patience = 5, minutes(30)
    resource = "certificate"
    calls = calling(
        read="DescribeCertificate ListCertificates ListTagsForCertificate",
        create="RequestCertificate",
        retag="AddTagsToCertificate RemoveTagsFromCertificate",
        delete="DeleteCertificate",
    )

    def read(self, acm: Any, spec: ResourceSpec) -> Doc | None:
        """Read the certificate with DescribeCertificate.

        Where its ARN is not known yet, find a certificate for one of our names that has our tags.
        """
        arn = spec.id or self._found(acm, spec)
        if not arn:
            return None
        doc = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        tags = tags_told(acm, spec, arn, lambda: _tags(acm, arn))
        proofs = _proofs(doc, spec.props)
        return {**doc, "Proofs": proofs, "Proof": "known" if all(proofs) else "awaited", "Tags": tags}

    def _found(self, acm: Any, spec: ResourceSpec) -> str:
        """Return the ARN of the certificate with one of our names and our tags, or "" if there is none."""
        wanted = _names(spec.props)
        for one in acm.list_certificates()["CertificateSummaryList"]:
            named = {one["DomainName"], *one.get("SubjectAlternativeNameSummaries", [])}
            if one["CertificateArn"] not in spec.excluded_ids and wanted & named:
                arn = one["CertificateArn"]
                tags = mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
                if has_owner(tags, spec.tags) and tags.get(NODE_TAG) == spec.logical_id:
                    return str(arn)
        return ""

    def create(self, acm: Any, spec: ResourceSpec) -> Doc:
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

    def canonical(self, doc: Doc) -> Doc:
        """Put all names into one sorted list, as AWS repeats the domain name among the alternative names."""
        return {**doc, "SubjectAlternativeNames": sorted(_names(doc))}


class Issuance(Kind):
    """The issuance of a certificate: it is ready once ACM has found every validation record."""

    service, key = "acm", "CertificateArn"
    members = CERTIFICATE
    tagged, vanishes = False, True
    within = ("CertificateArn",)
    ready, failed = {"Status": "ISSUED"}, {"Status": _OVER}
    states = _STATES
    absent = NO_CERTIFICATE | _UNKNOWN_THERE
    # terraform-provider-aws acm/certificate_validation.go: 75 min.
    takes, patience = 60, minutes(75)
    resource = "certificate"
    calls = calling(read="DescribeCertificate", create="DescribeCertificate")

    def read(self, acm: Any, spec: ResourceSpec) -> Doc | None:
        """Read the certificate with DescribeCertificate."""
        arn = spec.props["CertificateArn"]
        return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])

    def create(self, acm: Any, spec: ResourceSpec) -> Doc:
        """Read the certificate: nothing is created, the engine only waits until it is issued."""
        return self.read(acm, spec) or {}

    def delete(self, acm: Any, spec: ResourceSpec) -> None:
        """Do nothing: the issuance ends with its certificate."""

    def failure(self, acm: Any, spec: ResourceSpec, doc: Doc) -> ProvisionerError:
        """Return an error with ACM's reason, such as a CAA record that does not allow Amazon."""
        why = doc.get("FailureReason") or doc["Status"]
        return ProvisionerError(
            f"The certificate for {', '.join(sorted(_names(doc)))} was not issued: {why}.",
            "Mend that in DNS, then run the same command again: a new one is requested.",
        )


class IssuanceByHand(Issuance):
    """The issuance of a certificate whose validation records a person makes, as the stack has no hosted zone.

    `Besides` lists further records that the person is asked to make at the same time.
    """

    unread = frozenset({"Besides"})
    calls = calling(read="DescribeCertificate", create="DescribeCertificate")

    def read(self, acm: Any, spec: ResourceSpec) -> Doc | None:
        """Read the certificate with DescribeCertificate, and add `Besides` as declared."""
        return {**(super().read(acm, spec) or {}), "Besides": spec.props["Besides"]}

    def asks(self, doc: Doc) -> str:
        """Return which DNS records a person has to make, until ACM has found them all; "" after that."""
        if doc["Status"] != "PENDING_VALIDATION":
            return ""
        options = {one["DomainName"]: one for one in doc.get("DomainValidationOptions", [])}
        pending = (one for _, one in sorted(options.items()) if one.get("ValidationStatus") != "SUCCESS")
        records = [one["ResourceRecord"] for one in pending if "ResourceRecord" in one]
        lines = [f"{one['Name']} {one['Type']} {one['Value']}" for one in records]
        told = [f"  {line}" for line in (*lines, *doc["Besides"])]
        return "\n".join(["Make these records in DNS, and leave them there:", *told]) if lines else ""


def _names(doc: Doc) -> set[str]:
    """Return every name of a certificate, in lower case."""
    listed = [doc.get("DomainName"), *(doc.get("SubjectAlternativeNames") or [])]
    return {name.lower() for name in listed if isinstance(name, str)}


def _proofs(doc: Doc, asked: Doc) -> list[Doc]:
    """Return the validation record of each requested name; an empty one where ACM has not named it yet."""
    told = {one["DomainName"]: one.get("ResourceRecord") for one in doc.get("DomainValidationOptions", [])}
    names = [asked.get("DomainName"), *(asked.get("SubjectAlternativeNames") or [])]
    return [_record(told.get(name)) for name in names]


def _record(proof: Doc | None) -> Doc:
    """Return a record without the final dots of its DNS names; an empty one for None."""
    return {key: value.rstrip(".") for key, value in proof.items()} if proof else {}


def _tags(acm: Any, arn: str) -> dict[str, str]:
    return mapping(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
