"""Where the code of functions and layers lies on the disk."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The repository's root, from which every asset's folder follows."""

    root: Path

    def function(self, name: str) -> str:
        """Return the folder of the function of this name."""
        return str(self.root / "functions" / name)

    def layer(self, name: str) -> str:
        """Return the folder of one of our own layers."""
        return str(self.root / "layers" / name)

    def wheels(self, name: str) -> str:
        """Return the folder that `make layers` fills with a third-party layer."""
        return str(self.root / "build" / "layers" / name)
