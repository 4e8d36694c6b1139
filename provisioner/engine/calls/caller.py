"""The first call of every command: for which account, region and endpoint the credentials speak."""

from __future__ import annotations

from botocore.exceptions import ClientError
from tenacity import stop_after_delay

from provisioner.aws.connection import AwsConnection
from provisioner.aws.credential_errors import credentials_refused_error
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, describe_error
from provisioner.engine.calls.hints import hint_for
from provisioner.engine.calls.retry_policy import RETRY_TRANSIENT, RetryPolicy, retry_within
from state.errors import ProvisionerError
from state.stack_state import StackLocation

# Seconds of retries: few, as a person waits and nothing has begun.
_TIMEOUT_SECONDS = 20.0
# Seconds of retries where no connection was made: most often the endpoint or the network is wrong.
_UNSENT_RETRY_SECONDS = 3.0
# When AWS itself answers so, it does not accept the credentials.
_OF_CALLER = frozenset({ErrorCategory.EXPIRED, ErrorCategory.DENIED, ErrorCategory.REFUSED})


def caller_location(connection: AwsConnection) -> StackLocation:
    """Return the account, partition, region and endpoint that the credentials speak for.

    A throttled or lost call is retried for up to 20 seconds.

    Raises:
        CredentialsError: There are no credentials, or AWS does not accept them.
        ProvisionerError: AWS was not reached, or the answer did not come from AWS.

    """
    retry = RETRY_TRANSIENT & retry_within(
        _UNSENT_RETRY_SECONDS, lambda error: categorize(error) is ErrorCategory.UNSENT
    )
    policy = RetryPolicy(Clock(), stop_after_delay(_TIMEOUT_SECONDS), retry)
    try:
        return policy.call(connection.location)
    except ProvisionerError:
        raise
    except Exception as error:
        category = categorize(error)
        if category is None:
            raise
        if category in _OF_CALLER and isinstance(error, ClientError):
            raise credentials_refused_error(describe_error(error)) from error
        raise ProvisionerError(f"AWS cannot be reached: {describe_error(error)}", hint_for(error)) from error
