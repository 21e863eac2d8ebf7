from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from bagmill.dataset import Dataset, EpisodeReport, put_quarantine
from bagmill.dataset.folder import is_name
from bagmill.dataset.quarantine import QuarantineEntry
from bagmill.episodes import EpisodeWriter
from bagmill.errors import StorageError


def test_everything_has_its_place(tmp_path: Path):
    dataset = Dataset(tmp_path)

    places = [
        dataset.episode_path("run", "a1"),
        dataset.preview_path("run", "a1"),
        dataset.contact_sheet_path("run", "a1"),
        dataset.small_sheet_path("run", "a1"),
        dataset.depth_picture_path("run", "a1"),
        dataset.rates_plot_path("run", "a1"),
        dataset.skew_plot_path("run", "a1"),
        dataset.report_path("run", "a1"),
        dataset.quarantine_path("run"),
        dataset.scan_path("run"),
        dataset.fingerprint_path("run"),
    ]

    assert [path.relative_to(tmp_path).as_posix() for path in places] == [
        "episodes/run/a1.zarr",
        "previews/run/a1.mp4",
        "previews/run/a1.jpg",
        "previews/run/a1.small.avif",
        "previews/run/a1.depth.jpg",
        "previews/run/a1.rates.png",
        "previews/run/a1.skew.png",
        "reports/run/a1.json",
        "quarantine/run.json",
        "scans/run.npz",
        "scans/run.fingerprint.json",
    ]


def test_names_do_not_lead_out_of_the_dataset(dataset: Dataset):
    for name in ("", "..", "../x", "a/b", ".hidden", "a\0b"):
        for place in (dataset.preview_path, dataset.report_path, dataset.episode_path):
            with pytest.raises(StorageError):
                place(name, "a1")
            with pytest.raises(StorageError):
                place("run", name)
        with pytest.raises(StorageError):
            dataset.quarantine_path(name)
        with pytest.raises(StorageError):
            dataset.published(name)


def test_an_empty_dataset_has_nothing(dataset: Dataset):
    assert dataset.episodes() == dataset.published("run") == dataset.quarantined() == []


def test_published_is_what_has_its_root_metadata(
    dataset: Dataset, publish: Callable[..., EpisodeReport], make_report: Callable[..., EpisodeReport]
):
    for version in ("b2", "a1"):
        publish(make_report("run", version))
    publish(make_report("earlier", "c3"))
    unfinished = dataset.episode_path("run", "d4")
    zarr.create_array(str(unfinished / "time"), data=np.zeros(3))
    with EpisodeWriter(dataset.path, "growing", "e5"):
        assert dataset.episodes() == ["earlier", "growing", "run"]
        assert dataset.published("growing") == []

    assert dataset.published("run") == ["a1", "b2"]
    assert dataset.published("no such episode") == []


def test_quarantined(dataset: Dataset):
    for episode in ("b.mcap", "a"):
        put_quarantine(dataset, QuarantineEntry(episode, "/r", stage="recording", reason="empty.", since_ns=1))

    assert dataset.quarantined() == ["a", "b.mcap"]


def test_a_folder_that_is_none(tmp_path: Path):
    (tmp_path / "episodes").write_text("")

    with pytest.raises(StorageError, match="cannot be listed"):
        Dataset(tmp_path).episodes()


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "day1/run.mcap", "run\\1", "run\n.mcap", "a\0b", "x" * 300, "\ud800"]
)
def test_what_is_no_files_name_is_no_episodes_name(tmp_path: Path, name: str) -> None:
    assert not is_name(name)
    with pytest.raises(StorageError, match="is no name of an episode"):
        Dataset(tmp_path).report_path(name, "0123")


@pytest.mark.parametrize("name", ["run.mcap", "day1__run 3.mcap", "Größe", "a" * 200])
def test_names_that_files_can_have_are_names(name: str) -> None:
    assert is_name(name)
