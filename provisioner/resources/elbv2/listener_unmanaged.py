"""Header attributes and extra certificates that somebody added to a listener by calls of their own."""

from __future__ import annotations

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import Unmanaged
from provisioner.resources.tags import mapping
from provisioner.service_clients import ELBV2

# The calls of this module, for the `operations` of the listener.
READ_OPERATIONS = "DescribeListenerAttributes DescribeListenerCertificates"
CHANGE_OPERATIONS = "ModifyListenerAttributes"


def changed_header_attributes(elbv2: ELBV2, listener: str) -> list[Unmanaged]:
    """Return the header attributes of a listener that differ from their defaults (DescribeListenerAttributes).

    They rename, set or remove headers. The stack declares none of them, so each difference was made by hand.
    """
    attributes = mapping(elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"])
    return [
        Unmanaged(f"attribute {key}={value}", {"Key": key, "Value": default})
        for key, value in sorted(attributes.items())
        if (default := _default_of(key)) is not None and value not in (default, "")
    ]


def reset_attribute(elbv2: ELBV2, spec: ResourceSpec, attribute: JsonObject) -> None:
    """Set an attribute from `changed_header_attributes` to its default (ModifyListenerAttributes)."""
    elbv2.modify_listener_attributes(
        ListenerArn=spec.id, Attributes=[{"Key": attribute["Key"], "Value": attribute["Value"]}]
    )


def extra_certificates(elbv2: ELBV2, listener: str, actual: JsonObject) -> list[Unmanaged]:
    """Return the undeclared certificates that an HTTPS listener presents by SNI (DescribeListenerCertificates)."""
    if actual.get("Protocol") != "HTTPS":
        return []
    certificates = elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    declared = {certificate["CertificateArn"] for certificate in actual.get("Certificates", [])}
    extra = (certificate["CertificateArn"] for certificate in certificates if not certificate.get("IsDefault"))
    hint = "it is shown only to who asks for its own name, and goes with the listener"
    return [Unmanaged(f"certificate {arn}", {}, hint) for arn in extra if arn not in declared]


def _default_of(key: str) -> str | None:
    """Return the default of a header attribute; None for an attribute that may have any value.

    Source: botocore elbv2 ListenerAttribute, Key. The default name of a request header is its own name:
    `x_amzn_tls_version` is X-Amzn-Tls-Version.
    """
    if key == "routing.http.response.server.enabled":
        return "true"
    if key.startswith("routing.http.response.") and key.endswith(".header_value"):
        return ""
    if key.startswith("routing.http.request.") and key.endswith(".header_name"):
        return key.split(".")[3].replace("_", "-").title()
    return None
