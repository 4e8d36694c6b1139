"""Clients for resource types: reads return all pages and are retried, mutating calls are sent once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, overload

from tenacity import stop_after_delay

from provisioner.aws.connection import AwsConnection
from provisioner.aws.timeouts import StaleRequest, refuse_requests_if
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, is_unsupported_operation
from provisioner.engine.calls.input_shapes import Shapes
from provisioner.engine.calls.retry_policy import RETRY_TRANSIENT, RetryPolicy, retry_within
from provisioner.errors import WaitTimeout
from provisioner.pagination import paginator
from provisioner.stopping import begin_change

_READS = ("describe_", "filter_", "get_", "list_", "head_", "lookup_")
# Seconds after which a read without an answer is given up; fewer for an emulator, which may not know the call
# and say so in its own way.
READ_TIMEOUT_SECONDS, EMULATOR_TIMEOUT_SECONDS = 120.0, 8.0
# Seconds of retries of an unknown call: moto answers it with an internal error, which looks temporary.
UNSUPPORTED_RETRY_SECONDS = 0.5
# Seconds, one for each try, after which the guard is asked again before a changing call is sent: less than
# the margin before a lock or a mark expires. The last tries allow for slow credentials.
_GUARD_VALID_SECONDS = (5.0, 5.0, 5.0, 12.0, 12.0)

Answer = Any
Shared = dict[str, "Future[Answer]"]
ServiceClient = TypeVar("ServiceClient", bound="Client")
_NO_BATCH = BatchScope()


class Clients:
    """The AWS clients of one run; with `shared`, equal reads are sent once and share their answer."""

    def __init__(
        self,
        connection: AwsConnection,
        clock: Clock,
        guard: Callable[[], None] = lambda: None,
        shared: Shared | None = None,
        batch_scope: BatchScope = _NO_BATCH,
        timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self.aws = connection
        self.clock = clock
        self._guard = guard
        self._shared = shared
        # The wall-clock second from which answers are shared; 0 where they are not.
        self.since = clock.wall() if shared is not None else 0.0
        self.batch_scope = batch_scope
        self._timeout = timeout
        self._sharing = threading.Lock()

    @overload
    def client(self, service: type[ServiceClient], region: str = "") -> ServiceClient: ...

    @overload
    def client(self, service: str, region: str = "") -> Client: ...

    def client(self, service: type[Client] | str, region: str = "") -> Client:
        """Return the client of a service, in the stack's region or the one named.

        The service is a class with the types of its operations, or a name where only a resource type knows which.
        """
        service_type, name = (Client, service) if isinstance(service, str) else (service, service.service_name)
        return service_type(self, self.aws.client(name, region), name, region)

    def with_shared_reads(self, batch_scope: BatchScope = _NO_BATCH, timeout: float = READ_TIMEOUT_SECONDS) -> Clients:
        """Return clients for one look at many resources, in which equal reads are sent once.

        `batch_scope` are the resources that are looked at together. A read without an answer is given up after
        `timeout` seconds.
        """
        if self.shares_reads:
            return self
        return Clients(self.aws, self.clock, self._guard, shared={}, batch_scope=batch_scope, timeout=timeout)

    @property
    def shares_reads(self) -> bool:
        """Whether a read may get the answer of an equal read that was sent a moment ago."""
        return self._shared is not None

    def without_shared_reads(self) -> Clients:
        """Return clients that share no answer, so that each read is sent again."""
        return Clients(self.aws, self.clock, self._guard)

    def call_once(self, call: Callable[[], Answer]) -> Answer:
        """Send one mutating call at most once: nobody knows here whether it may be repeated.

        The guard, which raises if another run has taken over, is asked just before. If the process then stands still
        for too long before the request is sent, the request is refused, and guard and call are tried again.

        Raises:
            WaitTimeout: The call could not be sent soon enough after the guard was asked, at any try.

        """
        for seconds in _GUARD_VALID_SECONDS:
            self._guard()
            begin_change()
            with suppress(StaleRequest), refuse_requests_if(partial(self._is_stale, self.clock.moment(), seconds)):
                return call()
        raise WaitTimeout(
            f"A call to AWS was not sent: {len(_GUARD_VALID_SECONDS)} times more than "
            f"{_GUARD_VALID_SECONDS[0]:.0f} s passed "
            "between the check that no other run is at work and its sending.",
            "Look at what slows this machine down, or at how long its credentials take to come (a "
            "credential_process, a sign-in). Then run the same command again: it goes on.",
        )

    def _is_stale(self, allowed_at: tuple[float, float], seconds: float) -> bool:
        """Return whether more than so many seconds have passed since the guard allowed a call."""
        return self.clock.since(allowed_at) > seconds

    def read(self, key: str, call: Callable[[], Answer]) -> Answer:
        """Make one read, or return the answer of an equal one; equal reads have the same `key`."""
        if self._shared is None:
            return self._read_with_retry(call)
        with self._sharing:
            is_first = key not in self._shared
            future = self._shared.setdefault(key, Future())
        if is_first:
            try:
                future.set_result(self._read_with_retry(call))
            except BaseException as error:  # noqa: BLE001 - raised to all callers, also in other threads
                future.set_exception(error)
        return future.result()

    def read_unshared(self, call: Callable[[], Answer]) -> Answer:
        """Make one read whose answer is shared with nobody."""
        return self._read_with_retry(call)

    def _read_with_retry(self, call: Callable[[], Answer]) -> Answer:
        """Make a read; retry transient errors until the timeout, an operation that an emulator lacks only briefly."""
        timeout = min(self._timeout, EMULATOR_TIMEOUT_SECONDS) if self.aws.endpoint else self._timeout
        retry = RETRY_TRANSIENT & retry_within(UNSUPPORTED_RETRY_SECONDS, is_unsupported_operation)
        return RetryPolicy(self.clock, stop_after_delay(timeout), retry).call(call)


class Client:
    """A boto3 client whose reads return all pages, are retried and shared; mutating calls are sent once.

    A subclass for each service declares its operations (service_clients.py).
    """

    service_name: ClassVar[str]

    def __init__(
        self, clients: Clients, raw: Any, service: str, region: str, *, reads_one_page: bool = False, max_items: int = 0
    ) -> None:
        self._clients = clients
        self._raw = raw
        self._service, self._region = service, region
        self._reads_one_page, self._max_items = reads_one_page, max_items

    @property
    def shares_reads(self) -> bool:
        """Whether this is one look at many resources, in which equal reads are sent once."""
        return self._clients.shares_reads

    @property
    def batch_scope(self) -> BatchScope:
        """The resources in this region that are looked at together; empty outside of such a look."""
        return self._clients.batch_scope.in_region(self.region)

    @property
    def region(self) -> str:
        """The region that it calls."""
        return self._region or self._clients.aws.region

    @property
    def is_faithful(self) -> bool:
        """Whether reads return all that was written, as AWS's do and some emulators' do not."""
        return self._clients.aws.is_faithful

    def input_shapes(self, calls: Mapping[str, str]) -> Shapes:
        """Return the input shapes of calls; `calls` maps each to the path of a document in its input."""
        return Shapes.of(self._raw.meta.service_model, calls)

    @property
    def one_page(self) -> Self:
        """The same client, whose reads return one page, unshared: for a list that may be endless."""
        return type(self)(self._clients, self._raw, self._service, self._region, reads_one_page=True)

    def up_to(self, max_items: int) -> Self:
        """Return the same client, whose reads return at most so many items of a list, and ask for no more."""
        return type(self)(self._clients, self._raw, self._service, self._region, max_items=max_items)

    if not TYPE_CHECKING:  # mypy reports an operation that the class of the service does not declare

        def __getattr__(self, operation: str) -> Callable[..., Answer]:
            if operation.startswith("_") or not hasattr(self._raw, operation):
                raise AttributeError(f"{operation} is no operation of {self._service}")
            return partial(self._call, operation)

    def _call(self, operation: str, /, **params: Any) -> Answer:
        """Call an operation: a mutating one once, a read until it succeeds or time is up."""
        call = _Call(self, operation, params)
        if not call.is_read:
            return call.send()
        if self._reads_one_page:
            return self._clients.read_unshared(call.send)
        return self._clients.read(call.key, call.send)


@dataclass(frozen=True)
class _Call:
    """One call of an operation. Each time it is sent, it is paced, and a throttle is recorded."""

    client: Client
    operation: str
    params: dict[str, Any]

    @property
    def is_read(self) -> bool:
        """Whether the operation changes nothing, so that it may be repeated."""
        return self.operation.startswith(_READS)

    @property
    def key(self) -> str:
        """The text that equal reads have in common."""
        client, params = self.client, json.dumps(self.params, sort_keys=True, default=str)
        return f"{client._region}/{client._service}/{self.operation}/{client._max_items}/{params}"

    def send(self) -> Answer:
        """Send it as soon as the rate limit allows; if AWS throttles it, lower that limit."""
        client, clock, rates = self.client, self.client._clients.clock, self.client._clients.aws.rates
        bucket = (client._service, client._region, self.operation)
        if seconds := rates.take(*bucket, reads=self.is_read, now=clock.now()):
            clock.sleep(seconds)
        try:
            return self._send_with_renewed_credentials()
        except Exception as error:
            if categorize(error) is ErrorCategory.THROTTLED:
                rates.record_throttle(*bucket, reads=self.is_read, now=clock.now())
            raise

    def _send_with_renewed_credentials(self) -> Answer:
        """Send it; where AWS did nothing because the credentials have expired, renew them and send it once more."""
        client, expired = self.client, self.client._raw
        try:
            return self._send_now()
        except Exception as error:
            if categorize(error) is not ErrorCategory.EXPIRED:
                raise
            client._raw = client._clients.aws.renew_client(expired, client._service, client._region)
            return self._send_now()

    def _send_now(self) -> Answer:
        """Send it. The guard of a mutating call is asked last: the rate limit or a sign-in may have delayed it."""
        method = getattr(self.client._raw, self.operation)
        if not self.is_read:
            return self.client._clients.call_once(partial(method, **self.params))
        pages = None if self.client._reads_one_page else self._paginator(method)
        if pages is None:
            return method(**self.params)
        limit = self.client._max_items
        config = {"PaginationConfig": {"MaxItems": limit, "PageSize": limit}} if limit else {}
        return pages.paginate(**self.params, **config).build_full_result()

    def _paginator(self, method: Callable[..., Answer]) -> Any:
        """Return the paginator of the operation, also where botocore has none; None if it has only one page."""
        raw = self.client._raw
        if raw.can_paginate(self.operation):
            return raw.get_paginator(self.operation)
        model = raw.meta.service_model.operation_model(raw.meta.method_to_api_mapping[self.operation])
        return paginator(method, model)


def sibling_client(client: Client, service: type[ServiceClient], region: str = "") -> ServiceClient:
    """Return the client of another service, in the same region or the one named."""
    return client._clients.client(service, region or client._region)
