"""The connection to AWS in one region: session, clients and caller; calls to local AWS stay local."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import ConstantProvider
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from provisioner import __version__
from provisioner.aws import credentials, endpoints
from provisioner.aws.call_log import CallLog
from provisioner.aws.credentials import call_when_signed_in
from provisioner.aws.network import check_proxy
from provisioner.aws.rate_limits import RateLimiter
from provisioner.aws.responses import require_complete_responses
from provisioner.aws.timeouts import BoundedHttpSession, refuse_stale
from provisioner.emulator.local import RunningEmulator
from provisioner.errors import Blocked, CredentialsError
from state.stack_state import StackLocation

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# botocore looks up endpoints and proxies of the environment outside the session (botocore/configprovider.py,
# ConfiguredEndpointProvider; botocore/endpoint.py, EndpointCreator).
ISOLATED_CONFIG = Config(ignore_configured_endpoint_urls=True, proxies={})


def isolated_session(region: str) -> boto3.session.Session:
    """Return a session for local AWS, with keys of its own; nothing in the environment can change it."""
    core = botocore.session.Session(session_vars=_variables_without_sources())
    # The settings of S3 come from a section of the config file, and each key also has an environment
    # variable.
    core.get_component("config_store").set_config_provider("s3", ConstantProvider(None))
    core.set_credentials("embedded", "embedded")
    models: list[str] = core.get_component("data_loader").search_paths
    models[:] = [path for path in models if path != Loader.CUSTOMER_DATA_PATH]
    return boto3.session.Session(botocore_session=core, region_name=region)


def _variables_without_sources() -> dict[str, Any]:
    """Return the session variables with their defaults and without sources, read from botocore's own list.

    The list of the installed botocore also covers variables that later versions add.
    """
    variables = botocore.session.Session.SESSION_VARIABLES
    unset = {name: (None, None, default, convert) for name, (_, _, default, convert) in variables.items()}
    nowhere = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    return unset | nowhere


# arn:partition:service:region:account:resource
_ARN_COLONS = 5

# botocore's own retries are off: the engine knows which call may be sent twice. 60 s covers the slowest
# control-plane reply of the services used here.
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=32,
    user_agent_extra=f"ml-api-provisioner/{__version__}",
)
# Seconds until an answer that arrives slowly is given up: the connect timeout plus one read timeout.
ANSWER_TIMEOUT_SECONDS = 70.0
# Local AWS is called directly on loopback: no proxy, no virtual-host buckets.
_LOCAL_CONFIG = _CONFIG.merge(ISOLATED_CONFIG).merge(Config(s3={"addressing_style": "path"}))


class AwsConnection:
    """The connection to AWS, or to local AWS, in one region.

    It makes one boto3 client for each service and region, on first use, and records their calls.
    `answer_timeout` is the limit in seconds for each answer.
    """

    def __init__(
        self,
        region: str,
        emulator: RunningEmulator | None = None,
        answer_timeout: float | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.region = region
        # The URL for calls to S3, whatever is configured; None: boto3's choice.
        self._s3_endpoint = endpoint_url
        timeouts = {"connect_timeout": answer_timeout, "read_timeout": answer_timeout} if answer_timeout else {}
        self._config = (_LOCAL_CONFIG if emulator else _CONFIG).merge(Config(**timeouts))
        self._answer_timeout = answer_timeout or ANSWER_TIMEOUT_SECONDS
        self.local = emulator
        self.speed = emulator.speed if emulator else 1.0
        # Local AWS hides new resources for a moment even at speed 0.
        self.hidden_seconds = emulator.visible_within if emulator else 0.0
        self.calls = CallLog()
        self.rates = RateLimiter(self.speed)
        self._mutex = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session = self._new_session()
        self._account = ""
        # The ARN of the principal of these credentials; set by `place`.
        self.caller = ""
        # The time of AWS's last answer by AWS's own clock, in epoch seconds; 0 where that is this machine's
        # clock.
        self.aws_time = 0.0

    def consistency_window(self, usual: float) -> float:
        """Return for how many seconds a new resource may be hidden here, if AWS hides it for `usual`."""
        return max(usual * self.speed, self.hidden_seconds)

    @overload
    def client(self, service: Literal["s3"], region: str = "") -> S3Client: ...

    @overload
    def client(self, service: str, region: str = "") -> Any: ...

    def client(self, service: str, region: str = "") -> Any:
        """Return the boto3 client of a service, in the stack's region or in the one given."""
        key = (service, region or self.region)
        with self._mutex:
            if key not in self._clients:
                self._clients[key] = self._make_client(*key)
            return self._clients[key]

    def _new_session(self) -> boto3.session.Session:
        """Return a new boto3 session: the user's, or an isolated one for local AWS."""
        return isolated_session(self.region) if self.local else credentials.new_session(self.region)

    def renew_client(self, expired_client: Any, service: str, region: str) -> Any:
        """Return a client with newly resolved credentials in place of `expired_client`, whose own have expired.

        All callers with expired clients get clients of the same new session.

        Raises:
            CredentialsError: The new credentials are of another account.

        """
        with self._mutex:
            if self._clients.get((service, region or self.region)) is expired_client:
                account = call_when_signed_in(self._renew_session)
                if self._account not in ("", account):
                    raise CredentialsError(
                        f"The credentials expired, and those that took their place are of account {account}, "
                        f"not {self._account}.",
                        "All that was done is recorded. Set the credentials that began, then run this again.",
                    )
        return self.client(service, region)

    def _renew_session(self) -> str:
        """Resolve the credentials again and return their account; "" if no account was known before.

        Without a known account AWS is not asked for one: the credentials may be another vendor's, for its
        object store.
        """
        if not self.local:
            credentials.discard_refused(self._session.get_credentials())
        self._session, self._clients = self._new_session(), {}
        if not self._account:
            self._session.get_credentials()
            return ""
        return str(self._make_client("sts", self.region).get_caller_identity()["Account"])

    def _make_client(self, service: str, region: str) -> Any:
        """Make a client that checks its answers, bounds their time and records its calls."""
        if self.local:
            client = self._session.client(
                service, region_name=region, endpoint_url=self.local.endpoint, config=self._config
            )
            client.meta.events.register_first("before-send.*", self._refuse_other_host)
        else:
            endpoint_url = self._s3_endpoint if service == "s3" else None
            with endpoints.explain_rejected_endpoint(service):
                client = self._session.client(
                    service, region_name=region, endpoint_url=endpoint_url, config=self._config
                )
            check_proxy(str(client.meta.endpoint_url))
            client.meta.events.register("after-call.*.*", self._note_aws_time)
        client._endpoint.http_session = BoundedHttpSession(client._endpoint.http_session, self._answer_timeout)
        client.meta.events.register("before-send.*", refuse_stale)
        self.calls.record_client(client.meta.events)
        require_complete_responses(client.meta.events, is_emulator=self._calls_other_emulator(client))
        return client

    def _calls_other_emulator(self, client: Any) -> bool:
        """Return whether a client calls neither AWS nor local AWS."""
        return self.local is None and bool(endpoints.custom_endpoint(str(client.meta.endpoint_url)))

    def _note_aws_time(self, http_response: Any, **_: Any) -> None:
        """Remember AWS's time as an answer tells it, if it does (RFC 9110, Date)."""
        with suppress(TypeError, ValueError):
            self.aws_time = parsedate_to_datetime(http_response.headers.get("Date")).timestamp()

    def _refuse_other_host(self, request: Any, **_: Any) -> None:
        """Raise Blocked if a call to local AWS would go to another host or port."""
        local_endpoint = self.local.endpoint if self.local else ""
        target, allowed = urlsplit(request.url), urlsplit(local_endpoint)
        if (target.hostname, target.port) != (allowed.hostname, allowed.port):
            raise Blocked(
                f"A command with --local tried to reach {target.netloc}; only {allowed.netloc} is allowed.",
                "This is a fault of the tool: nothing was sent. Please report it.",
            )

    def credentials_expire_at(self) -> float | None:
        """Return the epoch second at which the credentials expire; None if they never do, or are renewed."""
        credentials_ = None if self.local else self._session.get_credentials()
        # Only credentials from the environment are never renewed: botocore asks all other sources again.
        if credentials_ is None or credentials_.method != "env":
            return None
        expiry = getattr(credentials_, "_expiry_time", None)
        return float(expiry.timestamp()) if expiry else None

    @property
    def endpoint(self) -> str:
        """The endpoint that a state is pinned to: "" for AWS itself; see `endpoints.describe_endpoints` for others."""
        if self.local:
            return f"embedded:{self.local.instance}"
        return endpoints.describe_endpoints(str(self.client("ec2").meta.endpoint_url), self._session._session)

    @property
    def is_faithful(self) -> bool:
        """Whether reads return all that was written, as AWS and local AWS do: other emulators forget some."""
        return self.local is not None or not self.endpoint

    def is_emulated(self, service: str, region: str = "") -> bool:
        """Return whether another emulator serves this one service; it may lack the service altogether."""
        return self._calls_other_emulator(self.client(service, region))

    def location(self) -> StackLocation:
        """Return the account, partition, region and endpoint of these credentials; calls GetCallerIdentity.

        Raises:
            ResponseParserError: The answer names no account.

        """
        caller = self.client("sts").get_caller_identity()
        if not str(caller.get("Account", "")).isdigit() or str(caller.get("Arn", "")).count(":") < _ARN_COLONS:
            raise ResponseParserError("GetCallerIdentity was answered without an account.")
        self._account, self.caller = str(caller["Account"]), str(caller["Arn"])
        partition = self.caller.split(":")[1]
        return StackLocation(caller["Account"], partition, self.region, self.endpoint)
