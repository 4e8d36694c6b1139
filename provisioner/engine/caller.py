"""Whom the credentials speak for, and where: the first call of every command."""

from __future__ import annotations

from botocore.exceptions import ClientError

from provisioner.aws import Aws
from provisioner.engine.clock import Clock
from provisioner.engine.faults import PASSING, Fault, fault_of, told
from provisioner.engine.hints import hint
from provisioner.engine.waits import again
from provisioner.errors import ProvisionerError
from provisioner.sign_in import not_accepted
from state.document import Place

# A person waits, and nothing has begun: seconds.
_PATIENCE = 20.0
# Who is not there is asked again for less: most often it, or the network, is the wrong one.
_UNSENT_PATIENCE = 3.0
# What AWS itself answers, of whom: what it was signed with is not taken.
_OF_CALLER = frozenset({Fault.EXPIRED, Fault.DENIED, Fault.REFUSED})


def called_by(aws: Aws) -> Place:
    """Account, partition, region and endpoint; a throttle or a lost answer is asked again, as it may be.

    Raises:
        CredentialsError: There are none, or AWS does not take them.
        ProvisionerError: AWS was not reached, or it was not AWS that answered.

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
