"""AWS's Session Manager plugin: the program that connects to the SSM agent in a container."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from provisioner.errors import Blocked

NAME = "session-manager-plugin"
_GUIDE_URL = (
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
)
# Systems Manager user guide, "Install the Session Manager plugin": the packages by distribution and processor.
_PACKAGES_URL = "https://s3.amazonaws.com/session-manager-downloads/plugin/latest"
_DEB_FAMILY, _RPM_FAMILY = {"debian", "ubuntu"}, {"amzn", "rhel", "fedora", "centos"}
# Later versions read the session from an environment variable. Earlier ones need it on the command line,
# where all users of this machine can see it. Its token gives access to the container (aws-cli
# customizations/sessionmanager.py; the plugin's session.go).
_LAST_INSECURE_VERSION = (1, 2, 497, 0)
_SESSION_VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"
_VERSION_TIMEOUT = 20  # seconds


@dataclass(frozen=True)
class Plugin:
    """The Session Manager plugin on this machine."""

    path: str
    version: str

    @classmethod
    def find(cls) -> Plugin:
        """Return the plugin that is on PATH.

        Raises:
            Blocked: It is not installed, too old, or does not start; the hint says how to install it.

        """
        path = shutil.which(NAME)
        if path is None:
            raise Blocked(f"The Session Manager plugin is not installed: no {NAME} on PATH.", install_hint())
        version = _read_version(path)
        version_text = ".".join(map(str, version)) or "of an unknown version"
        if version <= _LAST_INSECURE_VERSION:
            raise Blocked(f"The Session Manager plugin at {path} is too old ({version_text}).", install_hint())
        return cls(path, version_text)

    def command(self, region: str, target: str, endpoint: str) -> list[str]:
        """Return the command line of the plugin; the order of the arguments is that of its session.go."""
        profile = os.environ.get("AWS_PROFILE", "")
        return [
            self.path,
            _SESSION_VARIABLE,
            region,
            "StartSession",
            profile,
            json.dumps({"Target": target}),
            endpoint,
        ]

    def environment(self, session: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment of the plugin: the current one plus the session from StartSession."""
        return {**os.environ, _SESSION_VARIABLE: json.dumps(dict(session))}

    def shell_line(self, region: str, target: str, endpoint: str) -> str:
        """Return the line that starts the plugin from a shell, without the values of the session."""
        hidden = json.dumps(dict.fromkeys(("SessionId", "StreamUrl", "TokenValue"), "..."))
        return f"{_SESSION_VARIABLE}={shlex.quote(hidden)} {shlex.join(self.command(region, target, endpoint))}"


def install_hint() -> str:
    """Return the line that installs the plugin on this system; the address of AWS's guide for any other."""
    if sys.platform == "darwin":
        return f"Install it: `brew install --cask {NAME}`"
    system = _os_release()
    family = {system.get("ID", ""), *system.get("ID_LIKE", "").split()}
    processor = "arm64" if platform.machine() in ("aarch64", "arm64") else "64bit"
    if family & _DEB_FAMILY:
        url = f"{_PACKAGES_URL}/ubuntu_{processor}/{NAME}.deb"
        return f"Install it: `curl -fsSLO {url} && sudo dpkg -i {NAME}.deb`"
    if family & _RPM_FAMILY:
        return f"Install it: `sudo yum install -y {_PACKAGES_URL}/linux_{processor}/{NAME}.rpm`"
    return f"How it is installed: {_GUIDE_URL}"


def _os_release() -> dict[str, str]:
    """Return what a Linux system says of itself (os-release); {} where it says nothing."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _read_version(path: str) -> tuple[int, ...]:
    """Return the version of a plugin, as numbers; empty if it prints none."""
    try:
        output = subprocess.run(  # noqa: S603 - found on PATH by name
            [path, "--version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Blocked(f"The Session Manager plugin at {path} does not start: {error}", install_hint()) from error
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)*)\s*", output)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
