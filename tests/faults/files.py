"""What is in the files of a folder, to be put back as it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Files:
    """All files under a folder, as they were."""

    folder: Path
    texts: dict[Path, bytes]

    @classmethod
    def under(cls, folder: Path) -> Files:
        """Read them."""
        return cls(folder, {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()})

    def put_back(self) -> None:
        """Write what changed in its place, so that whoever has a file open still has it; remove the rest."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.texts:
                path.unlink()
        for path, text in self.texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != text:
                path.write_bytes(text)

    def digest(self) -> str:
        """Stands for the names and texts of those that lie in the folder itself, locks left out."""
        digest = hashlib.sha256()
        for path, text in sorted(self.texts.items()):
            if path.parent == self.folder and path.suffix != ".lock":
                digest.update(str(path).encode() + text)
        return digest.hexdigest()[:16]
