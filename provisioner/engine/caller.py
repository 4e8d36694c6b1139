"""Whom the credentials speak for, and where: the first call of every command."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.aws import NO_CREDENTIALS, Aws, no_credentials
from provisioner.engine.clock import Clock
from provisioner.engine.faults import PASSING, Fault, fault_of, told
from provisioner.engine.waits import again
from provisioner.errors import ProvisionerError
from state.document import Place

# A person waits, and nothing has begun: seconds.
_PATIENCE = 20.0
# An endpoint that is not there is told at once: most often it, or the network, is the wrong one.
_AT_ONCE = frozenset({Fault.UNSENT})


def called_by(aws: Aws) -> Place:
    """Account, partition, region and endpoint; a throttle or a lost answer is asked again, as it may be."""
    try:
        return again(aws.place, when=_passes, clock=Clock(), patience=_PATIENCE)
    except NO_CREDENTIALS as error:
        raise no_credentials(error) from error
    except ClientError as error:
        if _passes(error):
            raise _unreached(told(error)) from error
        raise no_credentials(told(error)) from error
    except (BotoCoreError, ValueError) as error:
        raise _unreached(str(error)) from error


def _passes(error: BaseException) -> bool:
    return fault_of(error) in PASSING - _AT_ONCE


def _unreached(why: str) -> ProvisionerError:
    proxy = ", and HTTPS_PROXY and NO_PROXY" if "proxy" in why else ""
    return ProvisionerError(
        f"AWS cannot be reached: {why}", f"Check the network, the region and AWS_ENDPOINT_URL{proxy}."
    )
