"""Environments of the peers, each of its own, under build/peers/."""

import subprocess
import sys
from collections.abc import Sequence

from tests.bench.peers.contestants import Contestant

MAX_SHOWN = 300


def installed(peers: Sequence[Contestant]) -> tuple[list[Contestant], dict[str, str], dict[str, str]]:
    """Install what is not there; return the peers that can be run, their versions, and why others cannot."""
    there: list[Contestant] = []
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    for peer in peers:
        try:
            versions[peer.name] = _installed(peer)
        except subprocess.CalledProcessError as error:
            absent[peer.name] = f"does not install: {error.stderr.strip()[:MAX_SHOWN]}"
        else:
            there.append(peer)
    return there, versions, absent


def _installed(peer: Contestant) -> str:
    python = str(peer.bin / "python")
    if not peer.bin.exists():
        _uv("venv", "--quiet", "--python", sys.executable, str(peer.bin.parent))
    _uv("pip", "install", "--quiet", "--python", python, *peer.requirements)
    name = peer.requirements[0].partition("==")[0]
    shown = _uv("pip", "show", "--python", python, name)
    return next(line.removeprefix("Version: ") for line in shown.splitlines() if line.startswith("Version: "))


def _uv(*arguments: str) -> str:
    command = [sys.executable, "-m", "uv", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
