"""Header attributes and extra certificates that somebody added to a listener by calls of their own."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import Unmanaged
from provisioner.resources.tags import mapping

# The calls of this module, for the `calls` of a listener's `extras` and `remove`.
READ_OPERATIONS = "DescribeListenerAttributes DescribeListenerCertificates"
CHANGE_OPERATIONS = "ModifyListenerAttributes"


def changed_header_attributes(elbv2: Any, listener: str) -> list[Unmanaged]:
    """Return each header that a listener renames, sets or leaves out against its default.

    The stack declares no such attribute, so any of them was set by hand (DescribeListenerAttributes).
    """
    told = mapping(elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"])
    return [
        Unmanaged(f"attribute {key}={value}", {"Key": key, "Value": usual})
        for key, value in sorted(told.items())
        if (usual := _default_of(key)) is not None and value not in (usual, "")
    ]


def reset_attribute(elbv2: Any, spec: ResourceSpec, attribute: JsonObject) -> None:
    """Set a listener attribute, which `rewritten` found, to its default (ModifyListenerAttributes)."""
    elbv2.modify_listener_attributes(ListenerArn=spec.id, Attributes=[attribute])


def extra_certificates(elbv2: Any, listener: str, actual: JsonObject) -> list[Unmanaged]:
    """Return the certificates besides the declared ones that an HTTPS listener presents (by SNI)."""
    if actual.get("Protocol") != "HTTPS":
        return []
    listed = elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    ours = {one["CertificateArn"] for one in actual.get("Certificates", [])}
    others = (one["CertificateArn"] for one in listed if not one.get("IsDefault"))
    stays = "it is shown only to who asks for its own name, and goes with the listener"
    return [Unmanaged(f"certificate {arn}", {}, stays) for arn in others if arn not in ours]


def _default_of(key: str) -> str | None:
    """Return the default of a listener attribute, or None if the attribute is left alone.

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
