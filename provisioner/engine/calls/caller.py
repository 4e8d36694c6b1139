"""The first call of every command: for which account, region and endpoint the credentials speak."""

from __future__ import annotations

from botocore.exceptions import ClientError

from provisioner.aws.connection import AwsConnection
from provisioner.aws.credential_errors import not_accepted
from provisioner.engine.calls.error_categories import TRANSIENT, ErrorCategory, categorize, describe_error
from provisioner.engine.calls.hints import hint_for
from provisioner.engine.calls.polling import Clock, retry
from state.errors import ProvisionerError
from state.stack_state import StackLocation

# Seconds of retries: few, as a person waits and nothing has begun.
_PATIENCE = 20.0
# Seconds of retries where no connection was made: most often the endpoint or the network is wrong.
_UNSENT_PATIENCE = 3.0
# When AWS itself answers so, it does not accept the credentials.
_OF_CALLER = frozenset({ErrorCategory.EXPIRED, ErrorCategory.DENIED, ErrorCategory.REFUSED})


def called_by(connection: AwsConnection) -> StackLocation:
    """Return the account, partition, region and endpoint that the credentials speak for.

    A throttled or lost call is retried for up to 20 seconds.

    Raises:
        CredentialsError: There are no credentials, or AWS does not accept them.
        ProvisionerError: AWS was not reached, or the answer did not come from AWS.

    """
    clock = Clock()
    start = clock.now()

    def passes(error: BaseException) -> bool:
        category = categorize(error)
        is_late = category is ErrorCategory.UNSENT and clock.now() - start > _UNSENT_PATIENCE
        return category in TRANSIENT and not is_late

    try:
        return retry(connection.location, when=passes, clock=clock, timeout=_PATIENCE)
    except ProvisionerError:
        raise
    except Exception as error:
        category = categorize(error)
        if category is None:
            raise
        if category in _OF_CALLER and isinstance(error, ClientError):
            raise not_accepted(describe_error(error)) from error
        raise ProvisionerError(f"AWS cannot be reached: {describe_error(error)}", hint_for(error)) from error
