"""The contents of the files in a folder, to be restored later."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FolderSnapshot:
    """All files under a folder at one moment."""

    folder: Path
    contents: dict[Path, bytes]

    @classmethod
    def of(cls, folder: Path) -> FolderSnapshot:
        """Read the files."""
        return cls(folder, {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()})

    def restore(self) -> None:
        """Write what changed, in place for those who have a file open; remove files that are new."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.contents:
                path.unlink()
        for path, content in self.contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    def digest(self) -> str:
        """Return a hash of the files directly in the folder, without lock files."""
        digest = hashlib.sha256()
        for path, content in sorted(self.contents.items()):
            if path.parent == self.folder and path.suffix != ".lock":
                digest.update(str(path).encode() + content)
        return digest.hexdigest()[:16]
