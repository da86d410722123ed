"""The console's stylesheet, script and icon, read once; their addresses have their version."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES = {file.name: file.read_bytes() for file in sorted(FOLDER.iterdir()) if file.suffix in TYPES}
VERSION = hashlib.sha256(b"".join(FILES.values())).hexdigest()[:12]


def type_of(name: str) -> str:
    """Return the content type of a file."""
    return TYPES[Path(name).suffix]
