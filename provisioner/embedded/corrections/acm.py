"""ACM: the key algorithm is told, and a certificate in use stays."""

from __future__ import annotations

from provisioner.embedded.hooks import AwsError, Reply, always
from provisioner.embedded.inner import do
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call

_algorithms: Shelf[str] = Shelf()


@always.after("acm", "RequestCertificate")
def keep_algorithm(call: Call, reply: Reply) -> None:
    """Remember what was asked for."""
    _algorithms.of(call)[reply["CertificateArn"]] = call.params.get("KeyAlgorithm", "RSA_2048")


@always.after("acm", "DescribeCertificate")
def tell(call: Call, reply: Reply) -> None:
    """Say the algorithm, no date of issue while pending, and the load balancer rather than the listener."""
    certificate = reply["Certificate"]
    arn = certificate["CertificateArn"]
    if arn in _algorithms.of(call):
        certificate["KeyAlgorithm"] = _algorithms.of(call)[arn].replace("RSA_", "RSA-")
    if certificate["Status"] == "PENDING_VALIDATION":
        certificate.pop("IssuedAt", None)
    certificate["InUseBy"] = [_balancer(user) for user in certificate.get("InUseBy", [])]


def _balancer(arn: str) -> str:
    """Turn a listener's ARN into its load balancer's."""
    head, listener, tail = arn.partition(":listener/")
    return f"{head}:loadbalancer/{tail.rpartition('/')[0]}" if listener else arn


@always.before("acm", "DeleteCertificate")
def in_use(call: Call) -> None:
    """Refuse while something serves it: botocore ServiceModel, errors of DeleteCertificate."""
    arn = call.params["CertificateArn"]
    found = do(call, "acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
    if found.get("InUseBy"):
        account = call.account
        raise AwsError(
            "ResourceInUseException", f"Certificate {arn} in account {account} is in use.", status=400
        )
