"""What every stage is handed to make its functions from."""

from dataclasses import dataclass

from infra.blocks.layers import Layers
from infra.data_stack import DataStack
from infra.environments import Environment
from infra.sources import Sources


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """The environment, the code on disk, the layers, and what must survive."""

    environment: Environment
    sources: Sources
    layers: Layers
    data: DataStack
