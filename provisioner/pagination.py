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
    return _botocore_configs(model.service_model.service_name).get(model.name) or _derive_config(model)


@functools.cache
def _botocore_configs(service: str) -> Mapping[str, Config]:
    """Return botocore's paginator configurations of a service, by operation."""
    try:
        configs: Mapping[str, Config] = Loader().load_service_model(service, "paginators-1")["pagination"]
    except DataNotFoundError:
        return {}
    return configs


def _derive_config(model: OperationModel) -> Config | None:
    """Derive a configuration for an operation that takes a token and returns one near its list."""
    input_token = _matching_member(_TOKENS, model.input_shape)
    token_level = next(
        (
            (path, shape)
            for path, shape in _structures(model.output_shape)
            if _matching_member(_TOKENS, shape, is_next=True)
        ),
        None,
    )
    if not input_token or token_level is None:
        return None
    path, shape = token_level
    lists = [*_list_paths(path, shape)] or [
        member
        for inner_path, inner_shape in _structures(shape)
        if inner_path
        for member in _list_paths(f"{path}{inner_path}", inner_shape)
    ]
    token = f"{path}{_matching_member(_TOKENS, shape, is_next=True)}"
    limit = _matching_member(_LIMITS, model.input_shape)
    config = {"input_token": input_token, "output_token": token, "result_key": lists}
    return {**config, **({"limit_key": limit} if limit else {})} if lists else None


def _structures(shape: Shape | None) -> Iterator[tuple[str, Any]]:
    """Yield the shape of a reply, then that of each structure in it, each with its path."""
    if shape is not None and shape.type_name == "structure":
        yield "", shape
        yield from ((f"{name}.", member) for name, member in shape.members.items() if member.type_name == "structure")


def _list_paths(path: str, shape: Any) -> Iterator[str]:
    """Return the paths of the lists in a structure, which is itself at `path`."""
    return (f"{path}{name}" for name, member in shape.members.items() if member.type_name == "list")


def _matching_member(pattern: re.Pattern[str], shape: Any, *, is_next: bool = False) -> str:
    """Return the member of a shape whose name matches; "" if there is none.

    A reply may hold two tokens, the next page's and the request's own: the next page's comes first, and only
    that one counts with `is_next`.
    """
    members = [name for name in (shape.members if shape is not None else {}) if pattern.fullmatch(name)]
    members.sort(key=lambda name: not name.lower().startswith("next"))
    return members[0] if members and (not is_next or members[0].lower().startswith("next")) else ""
