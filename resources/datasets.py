"""Where episodes are published."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from bagmill.dataset import Dataset


class DatasetFolder(dg.ConfigurableResource[None]):
    """The dataset of a deployment; the folder need not exist yet."""

    folder: str

    @property
    def dataset(self) -> Dataset:
        """The dataset, as the library knows it."""
        return Dataset(Path(self.folder))
