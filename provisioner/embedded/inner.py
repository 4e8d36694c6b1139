"""moto itself, behind three verbs: ask it, look into its state, empty it."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import moto.core.responses as moto_responses
import moto.settings as moto_settings
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend, BackendDict, backend_lock
from moto.core.model_instances import reset_model_data
from moto.core.utils import get_service_model, method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from provisioner.embedded.answers import AwsError
from provisioner.embedded.wire import (
    CLIENT_ERROR,
    Answer,
    compose,
    error_code,
    error_message,
    missing_code,
    parsed,
)
from provisioner.pages import paginator

if TYPE_CHECKING:
    from provisioner.embedded.answers import Reply
    from provisioner.embedded.wire import Call, Environ, Place

# Default AMIs cost 50 ms after each reset, and nothing here starts an instance.
SETTINGS = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_ECS_SERVICE_RUNNING": "0"}
NOT_IMPLEMENTED = 501  # neither 500, which clients retry, nor 404, which reads as "it is gone"


class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]  # moto is untyped
    """moto's dispatcher, looking each host up once rather than by 150 patterns a call."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backend_of = functools.cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Say which of moto's services answers there; one that none does is not implemented."""
        backend = self._backend_of(host)
        if host and not backend:
            raise NotImplementedError(f"moto has no service at {host}")
        return backend


@functools.cache
def dispatcher() -> Dispatcher:
    """Set moto up, once a process: its state is of the process too."""
    os.environ.update(SETTINGS)
    moto_settings.ACM_VALIDATION_WAIT = 2**31  # certificates are issued by what DNS says: corrections/acm.py
    # Looked up by inspection at every call otherwise, which is half of what a call costs.
    moto_responses.method_names_from_class = functools.cache(method_names_from_class)
    _session_of_no_user()
    return Dispatcher()


def _session_of_no_user() -> None:
    """Let moto make its one boto3 session while no profile or region of the user is in sight."""
    theirs = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    AccountSpecificBackend.get_session()
    del os.environ["AWS_CONFIG_FILE"], os.environ["AWS_SHARED_CREDENTIALS_FILE"]
    os.environ.update(theirs)


def ask(call: Call) -> Answer:
    """Let moto answer; what it does not implement is a well-formed error."""
    try:
        answer = _run(call.rewound())
    except NotImplementedError as missing:
        raise AwsError(missing_code(call), str(missing) or call.operation, NOT_IMPLEMENTED) from missing
    if answer.status >= CLIENT_ERROR and b"<!doctype html" in answer.body[:64].lower():  # no such route
        raise AwsError(missing_code(call), f"{call.operation or 'this'} is not implemented", NOT_IMPLEMENTED)
    return answer


def do(near: Call | Place, service: str, operation: str, **params: Any) -> Reply:
    """Ask moto for another operation, past the hooks, in the account and region of a call: one page of it."""
    call = compose(service, operation, near.region, **params)
    answer = ask(call)
    if answer.status >= CLIENT_ERROR:
        raise AwsError(error_code(answer), error_message(answer), answer.status)
    return parsed(call, answer)


def every(near: Call | Place, service: str, operation: str, **params: Any) -> Reply:
    """Ask moto for a list, past the hooks, to its last page."""
    model = get_service_model(service).operation_model(operation)
    pages = paginator(lambda **given: do(near, service, operation, **given), model)
    if pages is None:
        return do(near, service, operation, **params)
    whole: Reply = pages.paginate(**params).build_full_result()
    return whole


def _run(environ: Environ) -> Answer:
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        said.update(status=int(status[:3]), headers=dict(headers))

    chunks = dispatcher()(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        chunks.close()
    return Answer(said["status"], said["headers"], body)


def backend(service: str, account: str, region: str) -> Any:
    """Return moto's state of a service, in one account and region ("aws" for the global ones)."""
    return get_backend(service)[account][region]


def reset() -> None:
    """Empty moto; the backends are dropped, not made anew as moto's own reset does first."""
    with backend_lock:
        for service in BackendDict._instances:  # there is no public way that is quick
            if service.service_name == "s3":  # holds temporary files open
                for account in service.values():
                    account.reset()
            service.clear()
        BackendDict._instances.clear()
    reset_model_data()
