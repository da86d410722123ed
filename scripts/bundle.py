"""Make the functions' source bundles as Terraform does, and print their hashes: to look inside, to compare.

What a bundle holds is what terraform/bundles/<function>/ shows. Its hash is of names and contents, by name.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[1]
# Zip knows no time before 1980 and needs one; the hash does not depend on it.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def bundled_files(folder: Path) -> dict[str, Path]:
    """Map each path in a bundle to its file, in the order of paths; caches and hidden files stay out."""
    return dict(sorted(_walk(folder, folder)))


def bundle_hash(files: dict[str, Path]) -> str:
    """Digest names and contents, as terraform/bundles.tf does."""
    lines = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {path}\n" for path, file in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_zip(files: dict[str, Path], target: Path) -> None:
    """Write a bundle; the same files make the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w") as bundle:
        for path, file in files.items():
            entry = ZipInfo(path, NO_TIME)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            bundle.writestr(entry, file.read_bytes())


def main(root: Path = ROOT) -> None:
    """Write each bundle to build/bundles/, and print its hash, its function and how many files it holds."""
    for folder in sorted((root / "terraform" / "bundles").iterdir()):
        files = bundled_files(folder)
        digest = bundle_hash(files)
        write_zip(files, root / "build" / "bundles" / f"{folder.name}-{digest}.zip")
        sys.stdout.write(f"{digest}  {folder.name}  {len(files)} files\n")


def _walk(folder: Path, top: Path) -> Iterator[tuple[str, Path]]:
    for path, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in files:
            if not name.startswith("."):
                file = Path(path) / name
                yield file.relative_to(top).as_posix(), file


if __name__ == "__main__":
    main()
