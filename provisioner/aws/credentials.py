"""The credentials of one process: resolved once, for every region, every service and the state's bucket.

The session of an assumed role is cached where the AWS CLI caches it. So a session of the CLI is used, and
nobody is asked twice for the code of an MFA device. If a sign-in ends in mid-run, every thread that needs
credentials waits here until a person has signed in again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore import exceptions as raised
from botocore.credentials import create_credential_resolver
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher, JSONFileCache, parse_timestamp

from provisioner.aws.credential_errors import ChainError, chain_error
from provisioner.aws.profiles import Profile
from provisioner.aws.timeouts import BoundedHttpSession

T = TypeVar("T")

# The exceptions of botocore's own credential chain (botocore credentials.py and tokens.py, 1.44.5). Others
# that it may end with, such as errors of a file or of JSON, become a ChainError as well.
CHAIN_ERRORS = (
    raised.NoCredentialsError,
    raised.NoAuthTokenError,
    raised.PartialCredentialsError,
    raised.CredentialRetrievalError,
    raised.UnknownCredentialError,
    raised.TokenRetrievalError,
    raised.UnknownTokenProviderError,
    raised.ProfileNotFound,
    raised.ConfigParseError,
    raised.ConfigNotFound,
    raised.InvalidConfigError,
    raised.RefreshWithMFAUnsupportedError,
    raised.MetadataRetrievalError,
    raised.InvalidIMDSEndpointError,
    raised.InvalidIMDSEndpointModeError,
    raised.SSOError,
    raised.LoginError,
)

# Seconds for a whole answer of the chain's own calls. Answers are small; but a refresh that is refused would
# cost a sign-in, so the limit is generous.
ANSWER_TIMEOUT_SECONDS = 30.0

_resolved: dict[tuple[tuple[str, str], ...], CheckedCredentials] = {}
_resolving = threading.Lock()


class CheckedCredentials:
    """botocore's credentials, whose every use ends with keys or with a ChainError."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        # The access key ID that was handed out last; not secret, and never shown.
        self.last_key = ""

    def get_frozen_credentials(self) -> Any:
        """Return the keys that a request is signed with, renewed if botocore can renew them."""
        frozen = _call_with_chain_errors(self._credentials.get_frozen_credentials, self._credentials)
        _check_characters(frozen, str(self._credentials.method))
        self.last_key = str(frozen.access_key)
        return frozen

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Return a function that botocore calls when it needs a property, such as the account."""
        deferred = self._credentials.get_deferred_property(name)
        return lambda: _call_with_chain_errors(deferred, self._credentials)

    def __getattr__(self, name: str) -> Any:
        if not hasattr(type(self._credentials), name) and name not in vars(self._credentials):
            raise AttributeError(name)
        return _call_with_chain_errors(lambda: getattr(self._credentials, name), self._credentials)


def _check_characters(frozen: Any, method: str) -> None:
    """Refuse keys that no header can carry, before an HTTP library quotes one in its error.

    Raises:
        ChainError: A key holds a blank, a line break or another control character; the key is not shown.

    """
    keys = {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
    }
    for name, value in keys.items():
        if any(character.isspace() or not character.isprintable() for character in value or ""):
            key_name = name if method == "env" else f"{name.lower()} (from {method})"
            raise ChainError(
                f"{key_name} holds a blank or a line break: AWS gives none that does.",
                "Set it again without that (a newline may have been pasted), then run the same command again.",
            )


class SharedCredentialChain:
    """botocore's credential provider for all sessions of this process: each gets the same credentials."""

    def __init__(self, core: botocore.session.Session) -> None:
        self._core = core

    def load_credentials(self) -> CheckedCredentials:
        """Return the credentials of this environment, which are resolved once.

        Raises:
            ChainError: There are no usable credentials.

        """
        with _resolving:
            environment = _credential_environment()
            if environment not in _resolved:
                _resolved[environment] = _call_with_chain_errors(self._find, None)
            return _resolved[environment]

    def _find(self) -> CheckedCredentials:
        """Resolve credentials by botocore's own chain, with the time limit."""
        region = self._core.get_config_variable("region")
        bounded = BoundedSession(self._core)
        resolver = create_credential_resolver(bounded, cache=_role_sessions, region_name=region)
        _bound_fetchers(resolver.providers)
        credentials = resolver.load_credentials()
        if credentials is None:
            raise raised.NoCredentialsError
        return CheckedCredentials(credentials)


class BoundedSession:
    """A botocore session for the chain's own calls (sso, sts, signin), with a limit for whole answers."""

    def __init__(self, core: botocore.session.Session) -> None:
        self._core = core

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """Return botocore's client, with a time limit for its answers."""
        client = self._core.create_client(*args, **kwargs)
        client._endpoint.http_session = BoundedHttpSession(client._endpoint.http_session, ANSWER_TIMEOUT_SECONDS)
        return client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)


def _bound_fetchers(providers: list[Any]) -> None:
    """Set the time limit of instance and container metadata requests, which have their own HTTP session."""
    for provider in providers:
        fetcher = getattr(provider, "_role_fetcher", None) or getattr(provider, "_fetcher", None)
        if isinstance(fetcher, (InstanceMetadataFetcher, ContainerMetadataFetcher)):
            fetcher._session = BoundedHttpSession(fetcher._session, ANSWER_TIMEOUT_SECONDS)


def new_session(region: str) -> boto3.session.Session:
    """Return a boto3 session in a region, with the credentials of this process.

    Raises:
        ChainError: The profile does not exist, or its file cannot be read.

    """

    def make() -> boto3.session.Session:
        core = botocore.session.Session()
        core.register_component("credential_provider", SharedCredentialChain(core))
        return boto3.session.Session(botocore_session=core, region_name=region)

    return _call_with_chain_errors(make, None)


def discard_refused(credentials: object) -> None:
    """Discard credentials that AWS refuses, and their cached session: the next use resolves new ones."""
    with _resolving:
        if isinstance(credentials, CheckedCredentials):
            _role_sessions.refused.add(credentials.last_key)
            for environment in [key for key, resolved in _resolved.items() if resolved is credentials]:
                del _resolved[environment]


def forget_all() -> None:
    """Forget all resolved credentials: another command of this process may be another user's."""
    with _resolving:
        _resolved.clear()
        _role_sessions.refused.clear()


def _credential_environment() -> tuple[tuple[str, str], ...]:
    """Return the environment variables that decide which credentials are found."""
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(("AWS_", "HOME"))))


def _call_with_chain_errors(call: Callable[[], T], credentials: Any) -> T:
    """Call a function, and turn each of its errors into a ChainError."""
    try:
        return call()
    except ChainError:
        raise
    except Exception as error:
        method = str(getattr(credentials, "method", ""))
        raise chain_error(error, Profile.current(), method) from error


class RoleSessionCache(JSONFileCache):  # type: ignore[misc]  # botocore is not typed
    """The AWS CLI's cache of role sessions; a file that cannot be read or written counts as missing."""

    def __init__(self) -> None:
        super().__init__(working_dir="")
        self.refused: set[str] = set()

    def __contains__(self, key: str) -> bool:
        try:
            session = self[key]["Credentials"]
            parse_timestamp(str(session["Expiration"]))
            is_complete = all(isinstance(session[name], str) for name in ("SecretAccessKey", "SessionToken"))
            return is_complete and session["AccessKeyId"] not in self.refused
        except (KeyError, TypeError, ValueError, OverflowError):
            return False

    def __setitem__(self, key: str, value: Any) -> None:
        # If the file cannot be written, the session serves this process alone.
        with contextlib.suppress(OSError):
            super().__setitem__(key, value)

    def _convert_cache_key(self, cache_key: str) -> str:
        # The CLI's own folder: awscli customizations/assumerole.py and sso, CACHE_DIR.
        self._working_dir = str(Path.home() / ".aws" / "cli" / "cache")
        return str(super()._convert_cache_key(cache_key))


_role_sessions = RoleSessionCache()


# Sleeps for one step; raises the error if nobody is expected to sign in any more.
SignInWait = Callable[[ChainError], None]
_waits: list[SignInWait] = []


@contextmanager
def wait_for_sign_in_by(wait: SignInWait) -> Iterator[None]:
    """Let `wait` wait for a new sign-in during the block; outside of it, an ended sign-in is an error."""
    _waits.append(wait)
    try:
        yield
    finally:
        _waits.remove(wait)


def call_when_signed_in(call: Callable[[], T]) -> T:
    """Make a call, and repeat it while the sign-in is over and somebody is there to sign in again.

    Raises:
        ChainError: Nobody is there to sign in, nobody did so in time, or the error has another cause.

    """
    while True:
        try:
            return call()
        except ChainError as error:
            newest_wait = _waits[-1:]  # a copy: another thread may end the run meanwhile
            if not error.login or not newest_wait:
                raise
            newest_wait[0](error)
