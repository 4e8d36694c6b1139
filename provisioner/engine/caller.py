"""The first call of every command: for which account, region and endpoint the credentials speak."""

from __future__ import annotations

from botocore.exceptions import ClientError

from provisioner.aws import Aws
from provisioner.engine.clock import Clock
from provisioner.engine.faults import PASSING, Fault, fault_of, told
from provisioner.engine.hints import hint
from provisioner.engine.waits import again
from provisioner.sign_in import not_accepted
from state.errors import ProvisionerError
from state.stack_state import StackLocation

# Seconds of retries: few, as a person waits and nothing has begun.
_PATIENCE = 20.0
# Seconds of retries where no connection was made: most often the endpoint or the network is wrong.
_UNSENT_PATIENCE = 3.0
# When AWS itself answers so, it does not accept the credentials.
_OF_CALLER = frozenset({Fault.EXPIRED, Fault.DENIED, Fault.REFUSED})


def called_by(aws: Aws) -> StackLocation:
    """Return the account, partition, region and endpoint that the credentials speak for.

    A throttled or lost call is retried for up to 20 seconds.

    Raises:
        CredentialsError: There are no credentials, or AWS does not accept them.
        ProvisionerError: AWS was not reached, or the answer did not come from AWS.

    """
    clock = Clock()
    start = clock.now()

    def passes(error: BaseException) -> bool:
        fault = fault_of(error)
        is_late = fault is Fault.UNSENT and clock.now() - start > _UNSENT_PATIENCE
        return fault in PASSING and not is_late

    try:
        return again(aws.place, when=passes, clock=clock, patience=_PATIENCE)
    except ProvisionerError:
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        if fault in _OF_CALLER and isinstance(error, ClientError):
            raise not_accepted(told(error)) from error
        raise ProvisionerError(f"AWS cannot be reached: {told(error)}", hint(error)) from error
