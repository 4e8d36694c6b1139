"""What to do where AWS gave no answer: the known cause, and how often the call was tried."""

from __future__ import annotations

from botocore import exceptions as raised
from botocore.exceptions import ClientError

from provisioner.aws.network import trust_hint
from provisioner.aws.responses import NotAwsResponse, UnsupportedOperation
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, status_of
from provisioner.engine.calls.error_codes import is_unknown_host, trust_file_error, tunnel_refusal_status

_RUN_AGAIN = "Nothing is lost: run the same command again, and it goes on."
_ATTEMPTS = "_tries"
# RFC 9110: Proxy Authentication Required.
_PROXY_AUTHENTICATION_REQUIRED = 407
_PROXY = "HTTPS_PROXY names the proxy, and NO_PROXY the hosts that are reached without it"


def note_attempts(error: BaseException, attempts: int, seconds: float) -> None:
    """Store in an error how often its call was tried, and in how many seconds, for its hint."""
    error.__dict__[_ATTEMPTS] = (attempts, seconds)


def hint_for(error: BaseException) -> str:
    """Return what to do about an error for which AWS gave no answer, or asked to wait."""
    match categorize(error):
        case ErrorCategory.UNTRUSTED:
            return trust_hint(is_unreadable=trust_file_error(error) is not None)
        case ErrorCategory.PROXY_REFUSED:
            return f"{_proxy_refusal(error)} {_PROXY}: mend that, then run the same command again."
        case ErrorCategory.UNSENT:
            return f"{_no_connection(error)}{_attempts_sentence(error)} {_RUN_AGAIN}"
        case ErrorCategory.THROTTLED:
            return f"AWS has too many calls of this account.{_attempts_sentence(error)} {_RUN_AGAIN}"
        case _:
            return f"{_no_answer(error)}{_attempts_sentence(error)} {_RUN_AGAIN}"


def _attempts_sentence(error: BaseException) -> str:
    attempts, seconds = error.__dict__.get(_ATTEMPTS, (1, 0.0))
    return f" It was tried {attempts} times in {seconds:.0f} s." if attempts > 1 else ""


def _proxy_refusal(error: BaseException) -> str:
    status = error.status if isinstance(error, NotAwsResponse) else tunnel_refusal_status(error)
    if _PROXY_AUTHENTICATION_REQUIRED in (status, status_of(error) if isinstance(error, ClientError) else 0):
        return "A proxy asks who you are (407), and not AWS: it wants a user and a password in its address."
    return "A proxy, and not AWS, says no."


def _no_connection(error: BaseException) -> str:
    if isinstance(error, raised.ProxyConnectionError):
        return f"The proxy cannot be reached: {_PROXY}."
    if is_unknown_host(error):
        return (
            "That name is not known: the service may have no such host in this region. Look at the region, "
            "AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, AWS_ENDPOINT_URL and the network."
        )
    return "Nobody listens there: look at the network, the region, AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY."


def _no_answer(error: BaseException) -> str:
    if isinstance(error, UnsupportedOperation):
        return "The emulator that AWS_ENDPOINT_URL names does not know this call, and it cannot be done without."
    if isinstance(error, NotAwsResponse):
        return (
            "Not AWS answered: this network may want a sign-in in a browser, or a proxy answers in its place "
            "(HTTPS_PROXY, NO_PROXY, AWS_ENDPOINT_URL)."
        )
    if isinstance(error, raised.ReadTimeoutError):
        return "No whole answer came in time."
    if isinstance(error, raised.SSLError):
        return "The encrypted connection broke off."
    return "AWS gave no answer that can be read."
