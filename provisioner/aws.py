"""One way into AWS: the session, its clients, the account it speaks for, and the wall around a rehearsal."""

from __future__ import annotations

import threading
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.parsers import ResponseParserError

from provisioner import __version__, credentials, endpoints
from provisioner.answers import demand_whole
from provisioner.calls import Calls
from provisioner.embedded.local import Local
from provisioner.errors import Blocked, CredentialsError
from provisioner.isolated_session import CONFIG as ISOLATED
from provisioner.isolated_session import isolated_session
from provisioner.proxies import check_proxy
from provisioner.rates import Rates
from provisioner.signed_in_again import until_signed_in
from provisioner.whole_answers import WholeAnswers
from state.document import Place

# arn:partition:service:region:account:resource
_ARN_COLONS = 5

# botocore's own retries are off: the engine knows which call may be sent twice. 60 s covers the slowest
# control-plane reply that the services here give.
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=32,
    user_agent_extra=f"ml-api-provisioner/{__version__}",
)
# An answer that comes, but slowly, is given up after so many: connecting, and one silence of the longest.
_WHOLE_WITHIN = 70.0
# A rehearsal goes straight to loopback: no proxy, no virtual-host buckets.
_LOCAL_CONFIG = _CONFIG.merge(ISOLATED).merge(Config(s3={"addressing_style": "path"}))


class Aws:
    """Makes one client a service and region, on first use, and counts what they call.

    With `answer_within`, no answer is waited for longer than those seconds.
    """

    def __init__(
        self,
        region: str,
        local: Local | None = None,
        answer_within: float | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.region = region
        # Where calls to S3 go, whatever is configured; None: where boto3 takes them.
        self._s3_at = endpoint_url
        haste = {"connect_timeout": answer_within, "read_timeout": answer_within} if answer_within else {}
        self._config = (_LOCAL_CONFIG if local else _CONFIG).merge(Config(**haste))
        self._within = answer_within or _WHOLE_WITHIN
        self.local = local
        self.pace = local.pace if local else 1.0
        # An embedded AWS hides what is new for a moment even where its pace is 0.
        self.hides_for = local.visible_within if local else 0.0
        self.calls = Calls()
        self.rates = Rates(self.pace)
        self._making = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session = self._resolved()
        self._account = ""
        # The ARN of whoever these credentials speak for, once the place is known.
        self.caller = ""
        # The second, by AWS's own clock, of its last answer; 0 where that is this machine's clock.
        self.told_at = 0.0

    def hides(self, usual: float) -> float:
        """Seconds for which it may hide what AWS at its own pace hides for `usual` seconds."""
        return max(usual * self.pace, self.hides_for)

    def client(self, service: str, region: str = "") -> Any:
        """The boto3 client of a service, in the stack's region or the one named."""
        at = (service, region or self.region)
        with self._making:
            if at not in self._clients:
                self._clients[at] = self._make(*at)
            return self._clients[at]

    def _resolved(self) -> boto3.session.Session:
        return isolated_session(self.region) if self.local else credentials.session(self.region)

    def renew(self, stale: Any, service: str, region: str) -> Any:
        """A client with credentials resolved anew, in place of one whose own have expired.

        All who hold stale ones get those of one new session; CredentialsError where it is another account's.
        """
        with self._making:
            if self._clients.get((service, region or self.region)) is stale:
                account = until_signed_in(self._anew)
                if self._account not in ("", account):
                    raise CredentialsError(
                        f"The credentials expired, and those that took their place are of account {account}, "
                        f"not {self._account}.",
                        "All that was done is recorded. Set the credentials that began, then run this again.",
                    )
        return self.client(service, region)

    def _anew(self) -> str:
        """Resolve the credentials anew, and return the account that they are of; "" where none was known.

        A store of somebody else's may know them, where AWS does not.
        """
        if not self.local:
            credentials.let_go(self._session.get_credentials())
        self._session, self._clients = self._resolved(), {}
        if not self._account:
            self._session.get_credentials()
            return ""
        return str(self._make("sts", self.region).get_caller_identity()["Account"])

    def _make(self, service: str, region: str) -> Any:
        if self.local:
            client = self._session.client(
                service, region_name=region, endpoint_url=self.local.endpoint, config=self._config
            )
            client.meta.events.register_first("before-send.*", self._refuse_elsewhere)
        else:
            at = self._s3_at if service == "s3" else None
            with endpoints.named(service):
                client = self._session.client(
                    service, region_name=region, endpoint_url=at, config=self._config
                )
            check_proxy(str(client.meta.endpoint_url))
            client.meta.events.register("after-call.*.*", self._hear_time)
        client._endpoint.http_session = WholeAnswers(client._endpoint.http_session, self._within)
        self.calls.watch(client.meta.events)
        demand_whole(client.meta.events, is_emulator=self._is_elsewhere(client))
        return client

    def _is_elsewhere(self, client: Any) -> bool:
        return self.local is None and bool(endpoints.foreign(str(client.meta.endpoint_url)))

    def _hear_time(self, http_response: Any, **_: Any) -> None:
        """Note the time that an answer tells, where it tells one (RFC 9110, Date)."""
        with suppress(TypeError, ValueError):
            self.told_at = parsedate_to_datetime(http_response.headers.get("Date")).timestamp()

    def _refuse_elsewhere(self, request: Any, **_: Any) -> None:
        meant = self.local.endpoint if self.local else ""
        asked, allowed = urlsplit(request.url), urlsplit(meant)
        if (asked.hostname, asked.port) != (allowed.hostname, allowed.port):
            raise Blocked(
                f"A rehearsal tried to reach {asked.netloc}; only {allowed.netloc} is allowed.",
                "This is a fault of the tool: nothing was sent. Please report it.",
            )

    def credentials_end(self) -> float | None:
        """The wall-clock second at which the credentials end; None where they do not, or renew themselves."""
        known = None if self.local else self._session.get_credentials()
        # Only what the environment gives is never renewed: botocore asks all other sources again.
        if known is None or known.method != "env":
            return None
        end = getattr(known, "_expiry_time", None)
        return float(end.timestamp()) if end else None

    @property
    def endpoint(self) -> str:
        """What the state is pinned to besides the account: empty for AWS itself; see `endpoints.told`."""
        if self.local:
            return f"embedded:{self.local.instance}"
        return endpoints.told(str(self.client("ec2").meta.endpoint_url), self._session._session)

    @property
    def echoes(self) -> bool:
        """Whether it tells all that it was told, as AWS and the embedded AWS do: other emulators forget."""
        return self.local is not None or not self.endpoint

    def is_emulated(self, service: str, region: str = "") -> bool:
        """Return whether somebody else's emulator stands in for this one service: it may lack it whole."""
        return self._is_elsewhere(self.client(service, region))

    def place(self) -> Place:
        """GetCallerIdentity: the account, partition, region and endpoint these credentials speak for."""
        caller = self.client("sts").get_caller_identity()
        if (
            not str(caller.get("Account", "")).isdigit()
            or str(caller.get("Arn", "")).count(":") < _ARN_COLONS
        ):
            raise ResponseParserError("GetCallerIdentity was answered without an account.")
        self._account, self.caller = str(caller["Account"]), str(caller["Arn"])
        partition = self.caller.split(":")[1]
        return Place(caller["Account"], partition, self.region, self.endpoint)
