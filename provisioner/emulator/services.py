"""Which services of moto are served; each is loaded by its first call."""

from __future__ import annotations

from provisioner.emulator.errors import AwsError
from provisioner.emulator.wire import Call, missing_code
from provisioner.iam.reference import described_services

# By botocore's names: all that the product calls but the price list, of which there is no local one.
SERVICES = described_services() - {"pricing"}
# Paths that moto's dispatcher routes whatever service the request is signed for
# (moto/moto_server/werkzeug_app.py, get_application and infer_service_region_host).
_BY_PATH = ("/moto-api", "/favicon.ico", "/latest/meta-data/", "/latest/api/", "/v20180820/")
_FORBIDDEN, NOT_IMPLEMENTED = 403, 501


def refuse_unserved(call: Call) -> None:
    """Refuse a request that is not signed, or is for a service that the emulator does not serve.

    Raises:
        AwsError: The refusal.

    """
    if not call.service:
        raise AwsError(
            "MissingAuthenticationToken",
            "The local AWS answers requests that are signed in their Authorization header; any keys will do.",
            _FORBIDDEN,
        )
    path = str(call.environ.get("PATH_INFO", ""))
    if call.service not in SERVICES or path.startswith(_BY_PATH):
        unserved = call.service if call.service not in SERVICES else path
        raise AwsError(
            missing_code(call),
            f"The local AWS does not serve {unserved}: it has the services that this product uses.",
            NOT_IMPLEMENTED,
        )
