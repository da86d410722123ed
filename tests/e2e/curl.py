"""The guide's commands, as it prints them, typed into a shell: only the host is another."""

import json
import os
import subprocess
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path

from tests.e2e.platforms import ROOT
from tests.e2e.tenants import Answer

COMMANDS = Path(__file__).parent / "guide"
# curl reads this file where CURL_HOME says; so the commands themselves stay as printed.
CURLRC = 'silent\nshow-error\ninclude\nmax-time = 60\nnoproxy = "*"\n'


def typed(name: str, host: str, curl_home: Path, *, run_id: str = "", **environment: str) -> Answer:
    """Type the command of `guide/<name>.sh` at the repository's root and read the answer."""
    command = (COMMANDS / f"{name}.sh").read_text(encoding="utf-8")
    command = command.replace("your-host:8090", host).replace("{pipeline_logging_id}", run_id)
    (curl_home / ".curlrc").write_text(CURLRC, encoding="utf-8")
    shell = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "CURL_HOME": str(curl_home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shell.returncode == 0, f"{command}\n{shell.stderr}"
    return _read(shell.stdout)


def _read(printed: str) -> Answer:
    """Read what `curl --include` prints."""
    head, _, body = printed.replace("\r\n", "\n").partition("\n\n")
    status_line, _, header_lines = head.partition("\n")
    headers: Mapping[str, str] = dict(Parser().parsestr(header_lines).items())
    return Answer(status=int(status_line.split()[1]), body=json.loads(body), headers=headers)
