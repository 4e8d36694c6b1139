"""What somebody added to a listener by calls of their own: names and headers, and certificates."""

from __future__ import annotations

from typing import Any

from provisioner.engine.extras import Extra
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.tags import mapping

# What is asked and changed here: of a listener's `extras` and `remove`.
READS = "DescribeListenerAttributes DescribeListenerCertificates"
CHANGES = "ModifyListenerAttributes"


def rewritten(elbv2: Any, listener: str) -> list[Extra]:
    """List each header that the listener renames, sets or leaves out; the stack declares none."""
    told = mapping(elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"])
    return [
        Extra(f"attribute {key}={value}", {"Key": key, "Value": usual})
        for key, value in sorted(told.items())
        if (usual := _usual(key)) is not None and value not in (usual, "")
    ]


def put_back(elbv2: Any, it: Item, attribute: Doc) -> None:
    """ModifyListenerAttributes: as it is where nobody says anything."""
    elbv2.modify_listener_attributes(ListenerArn=it.id, Attributes=[attribute])


def shown_besides(elbv2: Any, listener: str, doc: Doc) -> list[Extra]:
    """List the certificates that a listener of HTTPS shows to who asks for their names."""
    if doc.get("Protocol") != "HTTPS":
        return []
    listed = elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    ours = {one["CertificateArn"] for one in doc.get("Certificates", [])}
    others = (one["CertificateArn"] for one in listed if not one.get("IsDefault"))
    stays = "it is shown only to who asks for its own name, and goes with the listener"
    return [Extra(f"certificate {arn}", {}, stays) for arn in others if arn not in ours]


def _usual(key: str) -> str | None:
    """What an attribute is by itself (botocore elbv2 ListenerAttribute, Key); None for those left alone.

    A request header bears its own name: `x_amzn_tls_version` is X-Amzn-Tls-Version.
    """
    if key == "routing.http.response.server.enabled":
        return "true"
    if key.startswith("routing.http.response.") and key.endswith(".header_value"):
        return ""
    if key.startswith("routing.http.request.") and key.endswith(".header_name"):
        return key.split(".")[3].replace("_", "-").title()
    return None
