"""No error, log, file or answer tells a password or a signature, whatever door an address came in by."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from bagmill.addresses import public_address, without_secrets
from bagmill.cli import main
from bagmill.dataset import Dataset
from bagmill.errors import BagmillError, StorageError
from bagmill.exports import check_target
from bagmill.profile import load_profile
from bagmill.recordings import discover, open_recording
from bagmill.remote import Mirror
from bagmill.remote.address import check_address, folder_name
from bagmill.stores import StoreSettings, Whole
from bagmill.stores.store import Store
from bagmill.training import EpisodeDataset

SECRETS = ("hunter2", "SECRET")
LEFT = "?X-Amz-Credential=AKIASECRET&X-Amz-Signature=SECRET#SECRET"
ADDRESSES = [
    f"{scheme}://user:hunter2@127.0.0.1:9/data{LEFT}"
    for scheme in ("https", "http", "s3", "gs", "ftp", "postgresql", "x+y")
]


def assert_untold(text: object) -> None:
    assert not any(secret in str(text) for secret in SECRETS), text


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://host/data", "https://host/data"),
        ("s3://bucket/a b/c", "s3://bucket/a b/c"),
        ("file:///data/x@y", "file:///data/x@y"),
        ("https://user:hunter2@host:8/data?sig=SECRET&x=1#SECRET", "https://host:8/data?…#…"),
        ("https://hunter2@host/", "https://host/"),
        ("https://user:hun@ter2@host/x", "https://host/x"),
        ("https://user:hunter2/SECRET@host/x", "https://host/x"),
        ("https://user:hunter2?SECRET@host/x", "https://host/x"),
        ("https://user:hunter2#SECRET@host/x", "https://host/x"),
        ("https://u%40:%68unter2@[::1]:8/x", "https://[::1]:8/x"),
        ("https://[::1]/x@2", "https://[::1]/x@2"),
        ("s3:/user:hunter2@bucket/x", "s3:/bucket/x"),
        ("user:hunter2@host:3000", "host:3000"),
        ("?SECRET", "?…"),
        ("", ""),
    ],
)
def test_what_of_an_address_is_told(address: str, told: str) -> None:
    assert public_address(address) == told
    assert public_address(told) == told


def test_an_object_below_an_address() -> None:
    assert public_address("https://u:hunter2@host/data/?sig=SECRET", "a/b c") == "https://host/data/a/b c"


@pytest.mark.parametrize(
    "text",
    [
        f"error sending request for url ({ADDRESSES[0]}): refused",
        f"Error performing GET {ADDRESSES[1]} in 3 ms",
        f'Some("{ADDRESSES[2]}")',
        "headers: X-Amz-Security-Token: SECRET, host: h",
        'headers: {"authorization": "Bearer SECRET"}',
        "Authorization: Basic SECRET",
        "password=hunter2 host=h",
        "could not resolve ter2@host: hunter2 SECRET",
        "a \u017fig=SECRET, as upper and lower case are one",
    ],
)
def test_words_of_other_libraries(text: str) -> None:
    found = without_secrets(text, "https://user:hunter2@host/x?sig=SECRET")
    assert_untold(found)
    assert len(found) > 10


@pytest.mark.parametrize("text", ["no secret here: 12", "a:/b and 3:/4", "task = pick", "at 12:30 ://"])
def test_other_words_stay(text: str) -> None:
    assert without_secrets(text) == text


def test_long_words_take_no_time() -> None:
    assert len(without_secrets("a-" * 20_000 + "://" + "b@" * 20_000)) > 1


def test_every_error_leaves_them_out() -> None:
    err = StorageError(f"about {ADDRESSES[0]}", path=ADDRESSES[0], remedy=f"see {ADDRESSES[0]}")
    for each in (err, pickle.loads(pickle.dumps(err))):  # noqa: S301 - our own
        assert_untold([str(each), repr(each), each.args, each.problem, each.path, each.remedy])
    assert Path("/data/a:/x?y") == BagmillError("x", path=Path("/data/a:/x?y")).path


DOORS: dict[str, Callable[[str], object]] = {
    "dataset": lambda address: Dataset(Path(address)),
    "recording": open_recording,
    "discover": discover,
    "profile": load_profile,
    "export": lambda address: check_target(Path(address)),
    "address": check_address,
    "loader": lambda address: EpisodeDataset(address, patience_s=0.1),
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("door", DOORS)
def test_doors_of_the_library(
    door: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if door == "loader" and address.startswith(("s3", "gs")):
        pytest.skip("it would look for credentials on the network")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with caplog.at_level(logging.DEBUG):
        try:
            DOORS[door](address)
        except BagmillError as err:
            assert_untold("".join(traceback.format_exception(err)).replace(f'"{address}"', ""))
            assert_untold([str(err), repr(err)])
        else:
            assert door == "address"
    assert_untold(caplog.text)
    assert_untold(list(tmp_path.rglob("*")))


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "A"],
        ["ingest", "A", "--into", "dataset", "--profile", "p.yaml"],
        ["ingest", "x.mcap", "--into", "A", "--profile", "A"],
        ["profile", "draft", "A"],
        ["snapshot", "list", "A"],
        ["snapshot", "query", "A", "--where", "x > 1"],
        ["snapshot", "make", "A"],
        ["stats", "A"],
        ["prune", "A"],
        ["verify", "A"],
        ["show", "A"],
        ["export", "lerobot", "A", "--to", "A"],
        ["export", "lerobot", "dataset", "A"],
    ],
    ids=" ".join,
)
def test_the_command_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bagmill", *(ADDRESSES[0] if each == "A" else each for each in arguments)])
    with pytest.raises(SystemExit):
        main()
    told = capfd.readouterr()
    assert told.out + told.err
    assert_untold(told.out + told.err)
    assert not any(tmp_path.iterdir())


def test_a_mirror_and_its_folder() -> None:
    pytest.importorskip("obstore", reason="obstore is not installed: pip install -e '.[remote]'")
    mirror = Mirror("https://user:hunter2@127.0.0.1:9/data?X-Amz-Signature=SECRET", cache_folder="/cache")

    assert_untold(
        [mirror.address, mirror.plain_address, mirror.root, repr(mirror), mirror.address_of(mirror.root / "a")]
    )
    assert mirror.plain_address == "https://127.0.0.1:9/data"
    assert (
        mirror.address_of(mirror.root / "snapshots" / "latest.json") == "https://127.0.0.1:9/data/snapshots/latest.json"
    )
    assert folder_name("https://h/data?sig=SECRET").startswith("data-")
    assert folder_name("https://h/data?part=1") != folder_name("https://h/data?part=2")


def test_a_mirror_fetches_to_nowhere_else(tmp_path: Path) -> None:
    pytest.importorskip("obstore", reason="obstore is not installed: pip install -e '.[remote]'")
    mirror = Mirror((tmp_path / "store").as_uri(), cache_folder=tmp_path / "cache")
    (tmp_path / "store").mkdir()
    (tmp_path / "x").write_bytes(b"x")
    for path in (
        f"{mirror.root}/../../x",
        f"{mirror.root}/a/../../x",
        "/etc/passwd",
        f"{mirror.root}-2/x",
        f"{mirror.root}/a\0",
    ):
        for ask in (lambda: mirror.bring([path]), lambda: mirror.refresh(Path(path)), lambda: mirror.bring_shard(path)):  # noqa: B023
            with pytest.raises(StorageError, match="which is no file of a dataset"):
                ask()


@pytest.mark.parametrize(
    "address", [*ADDRESSES[:2], "https://user:hun ter2@ho st/x?sig=SECRET", "https://u:hunter2@h:port/x?SECRET"]
)
def test_what_the_stores_library_says(address: str, tmp_path: Path) -> None:
    pytest.importorskip("obstore", reason="obstore is not installed: pip install -e '.[remote]'")
    settings = StoreSettings(address, 0.1, 1)
    assert_untold(repr(settings))
    with pytest.raises(StorageError, match="cannot be fetched") as told:
        Store(settings).answer(Whole("a/b", str(tmp_path / "b")))

    assert_untold([str(told.value), repr(told.value)])
    assert told.value.__suppress_context__
    assert told.value.__cause__ is None
