"""Reads lists to their last page: by botocore's paginators, else by the operation's own tokens."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.model import OperationModel, Shape
from botocore.paginate import Paginator

Config = Mapping[str, Any]
# The services' names for the token of the next page, and for the size of a page.
_TOKENS = re.compile(r"(next_?)?(page_?)?(token|marker)", re.IGNORECASE)
_LIMITS = re.compile(r"(max_?(results|items|records)|page_?size|limit)", re.IGNORECASE)


def paginator(method: Callable[..., Any], model: OperationModel) -> Paginator | None:
    """Return a paginator that reads all pages of an operation through `method`; None if it has only one."""
    config = config_of(model)
    return Paginator(method, dict(config), model) if config else None


def config_of(model: OperationModel) -> Config | None:
    """Return the paginator configuration of an operation in botocore's format; None if it has only one page.

    botocore has no configuration for some operations that have pages (ListVpcOrigins, ListWebACLs,
    ListServiceDeployments: 1.44.5); it is then derived from their shapes.
    """
    return _known(model.service_model.service_name).get(model.name) or _made(model)


@functools.cache
def _known(service: str) -> Mapping[str, Config]:
    """Return botocore's paginator configurations of a service, by operation."""
    try:
        found: Mapping[str, Config] = Loader().load_service_model(service, "paginators-1")["pagination"]
    except DataNotFoundError:
        return {}
    return found


def _made(model: OperationModel) -> Config | None:
    """Derive a configuration for an operation that takes a token and returns one near its list."""
    asked = _named(_TOKENS, model.input_shape)
    told = next(
        ((path, shape) for path, shape in _levels(model.output_shape) if _named(_TOKENS, shape, is_next=True)),
        None,
    )
    if not asked or told is None:
        return None
    path, shape = told
    lists = [*_lists(path, shape)] or [
        one for below, inner in _levels(shape) if below for one in _lists(f"{path}{below}", inner)
    ]
    token = f"{path}{_named(_TOKENS, shape, is_next=True)}"
    limit = _named(_LIMITS, model.input_shape)
    made = {"input_token": asked, "output_token": token, "result_key": lists}
    return {**made, **({"limit_key": limit} if limit else {})} if lists else None


def _levels(shape: Shape | None) -> Iterator[tuple[str, Any]]:
    """Yield the shape of a reply, then that of each structure in it, each with its path."""
    if shape is not None and shape.type_name == "structure":
        yield "", shape
        yield from ((f"{name}.", one) for name, one in shape.members.items() if one.type_name == "structure")


def _lists(path: str, shape: Any) -> Iterator[str]:
    """Return the paths of the lists in a structure, which is itself at `path`."""
    return (f"{path}{name}" for name, one in shape.members.items() if one.type_name == "list")


def _named(wanted: re.Pattern[str], shape: Any, *, is_next: bool = False) -> str:
    """Return the member of a shape whose name matches; "" if there is none.

    A reply may hold two tokens, the next page's and the request's own: the next page's comes first, and only
    that one counts with `is_next`.
    """
    members = [name for name in (shape.members if shape is not None else {}) if wanted.fullmatch(name)]
    members.sort(key=lambda name: not name.lower().startswith("next"))
    return members[0] if members and (not is_next or members[0].lower().startswith("next")) else ""
