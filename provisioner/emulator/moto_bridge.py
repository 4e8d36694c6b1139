"""Access to moto: call it, read its state, reset it."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import moto.core.responses as moto_responses
import moto.settings as moto_settings
import moto.utilities.utils as moto_utilities
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend, BackendDict, backend_lock
from moto.core.common_models import BaseModel
from moto.core.model_instances import reset_model_data
from moto.core.utils import get_service_model, method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from provisioner.emulator.errors import AwsError
from provisioner.emulator.wire import (
    CLIENT_ERROR,
    Response,
    compose_call,
    error_code,
    error_message,
    missing_code,
    parse_reply,
)
from provisioner.pagination import paginator

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.emulator.errors import Reply
    from provisioner.emulator.wire import AccountRegion, Call, Environ

# Loading the default AMIs takes 50 ms after each reset, and nothing here starts an instance.
SETTINGS = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_ECS_SERVICE_RUNNING": "0"}
NOT_IMPLEMENTED = 501  # not 500, which clients retry; not 404, which would mean that the resource is gone


# moto reads these as it loads EC2: 56 MB of instance types and of where they are offered, and nothing here starts one.
_INSTANCE_TYPES = "ec2/resources/instance_type"


def _without_instance_types(load_resource: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return moto's reader of its resource files, for which the lists of instance types are empty."""
    return lambda resource: {} if resource.startswith(_INSTANCE_TYPES) else load_resource(resource)


moto_utilities.load_resource = _without_instance_types(moto_utilities.load_resource)


class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]  # moto is untyped
    """moto's dispatcher with a cache by host, in place of matching 150 patterns at every call."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backend_of = functools.cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the moto service that answers at a host.

        Raises:
            NotImplementedError: moto has no service at that host.

        """
        backend = self._backend_of(host)
        if host and not backend:
            raise NotImplementedError(f"moto has no service at {host}")
        return backend


def _untracked(cls: type[Any], *_: Any, **__: Any) -> Any:
    """Create an object of a moto model without listing it; only moto's own reset reads the list.

    Objects of S3 are listed as before, because moto's reset closes S3's files by that list.
    """
    instance = object.__new__(cls)
    if cls.__module__ == "moto.s3.models":
        cls.instances_tracked.append(instance)
    return instance


BaseModel.__new__ = _untracked  # moto keeps a list of every object, so that a long-running emulator would grow


@functools.cache
def dispatcher() -> Dispatcher:
    """Set moto up and return its dispatcher; once per process, because moto's state is global."""
    os.environ.update(SETTINGS)
    moto_settings.ACM_VALIDATION_WAIT = 2**31  # patches/acm.py issues them by DNS
    # moto inspects the class at every call otherwise, which takes half of a call's time.
    moto_responses.method_names_from_class = functools.cache(method_names_from_class)
    _create_session_without_user()
    return Dispatcher()


def _create_session_without_user() -> None:
    """Let moto create its only boto3 session while the user's AWS profile and region are hidden from it."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    AccountSpecificBackend.get_session()
    del os.environ["AWS_CONFIG_FILE"], os.environ["AWS_SHARED_CREDENTIALS_FILE"]
    os.environ.update(hidden)


def ask(call: Call) -> Response:
    """Let moto answer a call.

    Raises:
        AwsError: moto does not implement the operation.

    """
    try:
        answer = _run(call.rewound())
    except NotImplementedError as missing:
        raise AwsError(missing_code(call), str(missing) or call.operation, NOT_IMPLEMENTED) from missing
    if answer.status >= CLIENT_ERROR and b"<!doctype html" in answer.body[:64].lower():  # no such route
        raise AwsError(missing_code(call), f"{call.operation or 'this'} is not implemented", NOT_IMPLEMENTED)
    return answer


def ask_moto(near: Call | AccountRegion, service: str, operation: str, **params: Any) -> Reply:
    """Call another operation of moto, without hooks, in the region of a call; return one page of its reply.

    Raises:
        AwsError: moto answers with an error.

    """
    call = compose_call(service, operation, near.region, **params)
    answer = ask(call)
    if answer.status >= CLIENT_ERROR:
        raise AwsError(error_code(answer), error_message(answer), answer.status)
    return parse_reply(call, answer)


def list_moto(near: Call | AccountRegion, service: str, operation: str, **params: Any) -> Reply:
    """Call a list operation of moto, without hooks, and return all of its pages as one reply."""
    model = get_service_model(service).operation_model(operation)
    pages = paginator(lambda **page_params: ask_moto(near, service, operation, **page_params), model)
    if pages is None:
        return ask_moto(near, service, operation, **params)
    reply: Reply = pages.paginate(**params).build_full_result()
    return reply


def _run(environ: Environ) -> Response:
    """Run moto's WSGI application on a request."""
    head: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        head.update(status=int(status[:3]), headers=dict(headers))

    chunks = dispatcher()(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        chunks.close()
    return Response(head["status"], head["headers"], body)


def backend(service: str, account: str, region: str) -> Any:
    """Return moto's backend of a service in an account and region; the region of global services is "aws"."""
    return get_backend(service)[account][region]


def reset() -> None:
    """Empty moto's state.

    The backends are dropped, not created again at once, which is what makes moto's own reset slow.
    """
    with backend_lock:
        for service in BackendDict._instances:  # moto has no fast public way
            if service.service_name == "s3":  # it holds temporary files open
                for account in service.values():
                    account.reset()
            service.clear()
        BackendDict._instances.clear()
    reset_model_data()
