"""Where the local deployment keeps its files: all of them under `.stamgast`."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Places:
    """The repository that is deployed, and the folder of what runs from it."""

    root: Path
    home: Path
    built: Path | None = None

    @property
    def connection(self) -> Path:
        """What a client needs, written by `up`."""
        return self.home / "local.json"

    @property
    def process(self) -> Path:
        """The process and the ports of the emulator."""
        return self.home / "emulator.json"

    @property
    def lock(self) -> Path:
        """Held by whoever changes this deployment; names its process."""
        return self.home / "lock"

    @property
    def routes(self) -> Path:
        """Which API each port of the front serves."""
        return self.home / "routes.json"

    @property
    def data(self) -> Path:
        """Everything that the emulator stores."""
        return self.home / "emulator"

    @property
    def unclean(self) -> Path:
        """Present while the emulator runs: its state on the disk is then older than its files."""
        return self.data / "running"

    @property
    def log(self) -> Path:
        """What the emulator and its functions print."""
        return self.home / "emulator.log"

    @property
    def assembly(self) -> Path:
        """The synthesised templates and assets; several homes may share them."""
        return (self.built or self.home) / "cdk.out"

    @property
    def synthesised(self) -> Path:
        """A hash of the sources that the assembly was made from."""
        return (self.built or self.home) / "synthesised"

    @property
    def deployed(self) -> Path:
        """A hash of the sources that the emulator runs."""
        return self.data / "deployed"

    @property
    def reloaded(self) -> Path:
        """The code that was put into functions past CloudFormation, by hash."""
        return self.data / "reloaded.json"

    @property
    def chosen(self) -> Path:
        """Names the folder of the workspace that `up` was last given."""
        return self.home / "workspace"

    @property
    def workspace(self) -> Path:
        """The folder that `up` was last given, else the worked example."""
        told = self.chosen.read_text(encoding="utf-8") if self.chosen.exists() else ""
        return Path(told) if told else self.root / "workspace"

    @property
    def cdk(self) -> Path:
        """The pinned CDK command line."""
        return self.root / "node_modules" / ".bin" / "cdk"


def default_places() -> Places:
    """Return the places of this checkout; `STAMGAST_HOME` moves the folder `.stamgast`."""
    home = os.environ.get("STAMGAST_HOME")
    return Places(root=ROOT, home=Path(home).resolve() if home else ROOT / ".stamgast")
