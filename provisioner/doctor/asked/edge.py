"""CloudFront, and what stands before it."""

from __future__ import annotations

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient
from provisioner.kinds.origin_key import veiled_origins

# What is asked here, by service: `policy` grants it.
CALLS = {"cloudfront": ("ListDistributions", "GetDistribution")}


def distribution(p: Patient) -> Sought:
    """ListDistributions for the one with our comment, then GetDistribution; keys are told by their hash."""
    name = p.named("edge")
    cloudfront = p.clients.client("cloudfront")
    listed = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
    id_ = next((one["Id"] for one in listed if one["Comment"] == name), "")
    doc: Doc | None = None
    if id_:
        told = cloudfront.get_distribution(Id=id_)["Distribution"]
        config = told["DistributionConfig"]
        doc = {**told, **config, "Origins": veiled_origins(config["Origins"], p.suffix)}
        del doc["DistributionConfig"]
    return Sought(f"distribution {name}", doc)
