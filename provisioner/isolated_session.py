"""A boto3 session that reads nothing of the user's: no environment, profile, file or service model."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import ConstantProvider
from botocore.loaders import Loader

# botocore looks up endpoints and proxies of the environment outside the session (botocore/configprovider.py,
# ConfiguredEndpointProvider; botocore/endpoint.py, EndpointCreator).
ISOLATED_CONFIG = Config(ignore_configured_endpoint_urls=True, proxies={})


def isolated_session(region: str) -> boto3.session.Session:
    """Return a session for local AWS, with keys of its own; nothing in the environment can change it."""
    core = botocore.session.Session(session_vars=_unset())
    # The settings of S3 come from a section of the config file, and each key also has an environment
    # variable.
    core.get_component("config_store").set_config_provider("s3", ConstantProvider(None))
    core.set_credentials("embedded", "embedded")
    models: list[str] = core.get_component("data_loader").search_paths
    models[:] = [path for path in models if path != Loader.CUSTOMER_DATA_PATH]
    return boto3.session.Session(botocore_session=core, region_name=region)


def _unset() -> dict[str, Any]:
    """Return the session variables with their defaults and without sources, read from botocore's own list.

    The list of the installed botocore also covers variables that later versions add.
    """
    known = botocore.session.Session.SESSION_VARIABLES
    unset = {name: (None, None, default, convert) for name, (_, _, default, convert) in known.items()}
    nowhere = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    return unset | nowhere
