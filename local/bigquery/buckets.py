"""Who may read and write the files of a bucket, which is a folder here.

Where a bucket has a file `.readers`, with an address on each line, it is open to nobody else.
"""

from pathlib import Path

READERS = ".readers"


def may_use(root: Path, bucket: str, caller: str) -> bool:
    """Tell whether a caller may use a bucket's files; "" is the platform itself."""
    readers = root / bucket / READERS
    return not caller or not readers.exists() or caller in readers.read_text(encoding="utf-8").split()
