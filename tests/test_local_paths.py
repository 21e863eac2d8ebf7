"""Addresses are told from paths, as texts and as paths made of them."""

from pathlib import Path

import pytest

from bagmill.dataset import Dataset
from bagmill.errors import AddressError
from bagmill.exports import check_target
from bagmill.ingest import IngestRequest
from bagmill.local_paths import is_address, local_path
from bagmill.profile import load_profile, parse_profile
from bagmill.recordings import discover, open_recording
from bagmill.testing import small_profile


@pytest.mark.parametrize("text", ["s3://b/x", "gs://b", "https://h/x", "file:///x", "FTP://h", "abfs+x://b/y"])
def test_addresses(text: str) -> None:
    assert is_address(text)
    assert is_address(Path(text))
    with pytest.raises(AddressError, match="is an address, not a path"):
        local_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "a.mcap",
        "/a/b",
        "./s3",
        "C:/a",
        "C:\\a",
        "s3:",
        "a b://c",
        "12:30/run",
        "/x/s3://y",
        "run:1",
        "",
        "2026-01-01T10:00:00/r",
    ],
)
def test_paths(text: str) -> None:
    assert not is_address(text)
    assert local_path(text) == Path(text)


def test_a_file_address_is_answered_with_its_path() -> None:
    with pytest.raises(AddressError, match=r"Give its path: /data/my run\.mcap\."):
        local_path("file:///data/my%20run.mcap")


@pytest.mark.parametrize("address", ["s3://bucket/x", Path("s3://bucket/x")])
def test_the_library_makes_no_folder_of_one(
    address: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    calls = (
        lambda: Dataset(Path(address)),
        lambda: open_recording(address),
        lambda: discover(address),
        lambda: load_profile(address),
        lambda: check_target(Path(address)),
        lambda: IngestRequest("a", tmp_path / "a.mcap", Path(address), parse_profile(small_profile())),
        lambda: IngestRequest("a", Path(address), tmp_path / "d", parse_profile(small_profile())),
    )
    for call in calls:
        with pytest.raises(AddressError, match=r"^s3://bucket/x is an address"):
            call()
    assert not list(tmp_path.iterdir())
