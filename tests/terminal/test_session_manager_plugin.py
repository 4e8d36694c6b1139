"""The line that installs the Session Manager plugin is the one for this system."""

from __future__ import annotations

import platform
import sys

import pytest

from provisioner.terminal.session_manager_plugin import install_hint

PLUGIN = "session-manager-plugin"
URL = "https://s3.amazonaws.com/session-manager-downloads/plugin/latest"


@pytest.mark.parametrize(
    ("system", "os_release", "machine", "said"),
    [
        ("darwin", {}, "arm64", "`brew install --cask session-manager-plugin`"),
        ("linux", {"ID": "debian"}, "x86_64", f"{URL}/ubuntu_64bit/session-manager-plugin.deb && sudo dpkg -i"),
        ("linux", {"ID": "mint", "ID_LIKE": "ubuntu debian"}, "aarch64", f"{URL}/ubuntu_arm64/{PLUGIN}.deb"),
        ("linux", {"ID": "amzn"}, "x86_64", f"`sudo yum install -y {URL}/linux_64bit/session-manager-plugin.rpm`"),
        ("linux", {"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "aarch64", f"{URL}/linux_arm64/{PLUGIN}.rpm"),
        ("linux", {"ID": "arch"}, "x86_64", "https://docs.aws.amazon.com/systems-manager/"),
    ],
)
def test_the_install_line_is_that_of_the_system(
    monkeypatch: pytest.MonkeyPatch, system: str, os_release: dict[str, str], machine: str, said: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: os_release)
    monkeypatch.setattr(platform, "machine", lambda: machine)

    assert said in install_hint()


def test_a_system_that_says_nothing_of_itself_gets_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> dict[str, str]:
        raise FileNotFoundError("os-release")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", nothing)

    assert "https://docs.aws.amazon.com/systems-manager/" in install_hint()
