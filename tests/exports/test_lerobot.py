"""The data set is judged by pyarrow, pandas and PyAV's decoder; `test_lerobot_loader` has LeRobot itself open it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagmill.dataset import Dataset, curate, load_snapshot
from bagmill.errors import ExportError, StorageError
from bagmill.exports import REPORT_FILE, LeRobotSettings, export_lerobot, select_source
from bagmill.exports.lerobot.layout import VIDEO, FilePlace

MakeDataset = Callable[..., Dataset]
CAMERA = "observation.images.cam_high"


def _pictures(path: Path) -> tuple[np.ndarray, list[Fraction]]:
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
    return pictures, [frame.pts * frame.time_base for frame in frames]


def _column(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist())


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def test_ticks_episodes_tasks_and_films(make_dataset: MakeDataset, recipe, tmp_path: Path):
    recipes = [recipe("a"), recipe("b", num_ticks=7, task="wave"), recipe("c", num_ticks=9)]
    out = tmp_path / "out"

    report = export_lerobot(select_source(make_dataset(*recipes)), out, num_threads=2)

    info = json.loads((out / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 30, "arm7")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 28, 2)
    assert info["splits"] == {"train": "0:3"}
    assert list(info["features"]) == [
        *(CAMERA, "observation.state", "action", "valid"),
        *("timestamp", "frame_index", "episode_index", "index", "task_index"),
    ]
    assert info["features"]["observation.state"] == {
        "dtype": "float32",
        "shape": [3],
        "names": ["joint0", "joint1", "joint2"],
    }
    assert info["features"][CAMERA]["shape"] == [64, 96, 3]
    assert info["features"]["valid"]["names"] == [CAMERA, "observation.state", "action"]

    table = pq.read_table(out / "data/chunk-000/file-000.parquet")
    np.testing.assert_array_equal(_column(table, "index"), np.arange(28))
    np.testing.assert_array_equal(_column(table, "episode_index"), np.repeat([0, 1, 2], [12, 7, 9]))
    np.testing.assert_array_equal(_column(table, "task_index"), np.repeat([0, 1, 0], [12, 7, 9]))
    frames = np.concatenate([np.arange(each.num_ticks) for each in recipes])
    np.testing.assert_array_equal(_column(table, "frame_index"), frames)
    np.testing.assert_allclose(_column(table, "timestamp"), frames / 30, rtol=1e-7)
    assert table.schema.field("timestamp").type == pa.float32()
    assert table.schema.field("observation.state").type == pa.list_(pa.float32(), 3)
    for key, name in (("observation.state", "state"), ("action", "action")):
        expected = np.concatenate([each.values(name) for each in recipes])
        np.testing.assert_array_equal(_column(table, key).astype(np.float32), expected)
    assert _column(table, "valid").all()

    tasks = pd.read_parquet(out / "meta/tasks.parquet")
    assert tasks.index.tolist() == ["pick up the cup", "wave"]
    assert tasks["task_index"].tolist() == [0, 1]

    episodes = pq.read_table(out / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    pictures, times = _pictures(out / f"videos/{CAMERA}/chunk-000/file-000.mp4")
    assert times == [Fraction(n, 30) for n in range(28)]
    start = 0
    for index, (row, each) in enumerate(zip(episodes, recipes, strict=True)):
        assert (row["episode_index"], row["length"], row["tasks"]) == (index, each.num_ticks, [each.task])
        assert (row["dataset_from_index"], row["dataset_to_index"]) == (start, start + each.num_ticks)
        assert row[f"videos/{CAMERA}/from_timestamp"] == pytest.approx(start / 30)
        assert row[f"videos/{CAMERA}/to_timestamp"] == pytest.approx((start + each.num_ticks) / 30)
        places = ["data", f"videos/{CAMERA}", "meta/episodes"]
        assert {row[f"{place}/{what}_index"] for place in places for what in ("chunk", "file")} == {0}
        for tick in range(each.num_ticks):
            assert _psnr(pictures[start + tick], each.stored(tick)) > 30
        start += each.num_ticks

    assert [(each.index, each.episode, each.version) for each in report.episodes] == [
        (0, "a", "v1"),
        (1, "b", "v1"),
        (2, "c", "v1"),
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(["data", "meta", "videos", REPORT_FILE])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "out"]


def test_the_film_is_what_lerobot_makes(make_dataset: MakeDataset, recipe, tmp_path: Path):
    export_lerobot(select_source(make_dataset(recipe("a"), recipe("b"))), tmp_path / "out")

    with av.open(str(tmp_path / f"out/videos/{CAMERA}/chunk-000/file-000.mp4")) as film:
        stream = film.streams.video[0]
        assert stream.codec.canonical_name == "av1"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.average_rate, stream.base_rate, stream.frames) == (30, 30, 24)
        assert stream.duration * stream.time_base == Fraction(24, 30)
        # limited range, a BT.601 matrix
        assert (stream.codec_context.color_range, stream.codec_context.colorspace) == (1, 5)
        packets = [packet for packet in film.demux(stream) if packet.size]
    assert [packet.is_keyframe for packet in packets] == [True, False] * 12, "every other picture stands alone"


def test_the_report_says_what_was_lost(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe(
        "a",
        invalid={"images/cam_high": (0, 5), "state": (3,)},
        interpolated={"state": (1, 2)},
        signals={"state": 3, "action": 2, "force": 1},
        dtypes={"force": "float64"},
    )
    source = select_source(
        make_dataset(made), where="num_ticks == 12", features=["images/cam_high", "depth/cam_high", "state", "force"]
    )

    report = export_lerobot(source, tmp_path / "out")

    features = {each.feature: each for each in report.features}
    camera = features["images/cam_high"]
    assert (camera.written_as, camera.num_invalid, camera.num_ticks) == (CAMERA, 2, 12)
    assert camera.skew_p99_ms == pytest.approx(2.0)
    assert camera.psnr_db is not None
    assert 30 < camera.psnr_db.worst <= camera.psnr_db.median < 60
    assert camera.psnr_db.num_compared == 8
    assert features["state"].num_interpolated == 2
    assert (features["force"].dtype, features["force"].written_dtype) == ("float64", "float32")
    values = made.values("force")
    assert features["force"].largest_change == np.abs(values - values.astype(np.float32)).max() > 0
    assert (features["depth/cam_high"].written_as, features["depth/cam_high"].why_not) == (
        None,
        "LeRobot has no exact depth",
    )
    assert features["action"].why_not == "not asked for"
    text = "\n".join(report.losses)
    for part in (
        "images/cam_high: 2 of 12 ticks have no value",
        "images/cam_high is compressed once more: PSNR",
        "state: 1 of 12 ticks have no value",
        "force is written as float32, not float64",
        "depth/cam_high is not in the export: LeRobot has no exact depth",
        "action is not in the export: not asked for",
        "up to 2 ms (99th percentile)",
        "Which 2 values were interpolated",
    ):
        assert part in text
    saved = json.loads((tmp_path / "out" / REPORT_FILE).read_text())
    assert saved["schema"] == "bagmill-export-1"
    assert (saved["snapshot"], saved["where"]) == (source.snapshot_id, "num_ticks == 12")
    assert saved["losses"] == list(report.losses)
    assert saved["settings"]["crf"] == 30


def test_the_psnr_is_that_of_the_film(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", num_ticks=8)
    source = select_source(make_dataset(made))

    fine, coarse = (export_lerobot(source, tmp_path / str(crf), settings=LeRobotSettings(crf=crf)) for crf in (10, 60))

    for report in (fine, coarse):
        pictures, _ = _pictures(Path(report.path) / f"videos/{CAMERA}/chunk-000/file-000.mp4")
        psnrs = [_psnr(pictures[tick], made.stored(tick)) for tick in range(8)]
        loss = report.features[0].psnr_db
        assert loss is not None
        assert loss.worst == pytest.approx(min(psnrs), abs=1e-6)
        assert loss.median == pytest.approx(np.median(psnrs), abs=1e-6)
        assert loss.worst_at == f"a, tick {np.argmin(psnrs)}"
    assert fine.features[0].psnr_db.median > coarse.features[0].psnr_db.median + 3
    assert fine.size_bytes > coarse.size_bytes


def test_ticks_without_a_value_hold_the_last_and_are_masked(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", invalid={"images/cam_high": (0, 5, 6), "state": (3,)})

    export_lerobot(select_source(make_dataset(made)), tmp_path / "out")

    table = pq.read_table(tmp_path / "out/data/chunk-000/file-000.parquet")
    held = [0, 1, 2, 2, *range(4, 12)]
    np.testing.assert_array_equal(_column(table, "observation.state").astype(np.float32), made.values("state")[held])
    masks = np.ones((12, 3), np.bool_)
    masks[[0, 5, 6], 0] = masks[3, 1] = False
    np.testing.assert_array_equal(_column(table, "valid"), masks)
    pictures, _ = _pictures(tmp_path / f"out/videos/{CAMERA}/chunk-000/file-000.mp4")
    for tick, source in enumerate([1, 1, 2, 3, 4, 4, 4, *range(7, 12)]):
        assert _psnr(pictures[tick], made.stored(source)) > 30


def test_episodes_that_cannot_be_held_are_skipped(make_dataset: MakeDataset, recipe, tmp_path: Path):
    dataset = make_dataset(
        recipe("a", invalid={"state": tuple(range(12))}),
        recipe("b", invalid={"state": (1,)}),
        recipe("c"),
    )
    source = select_source(dataset, features=["state", "action"])

    held = export_lerobot(source, tmp_path / "held")
    whole = export_lerobot(source, tmp_path / "whole", settings=LeRobotSettings(invalid="skip", has_masks=False))

    assert [(each.episode, each.reason) for each in held.skipped] == [("a", "state is never valid")]
    assert [each.episode for each in held.episodes] == ["b", "c"]
    assert [(each.episode, each.reason) for each in whole.skipped] == [
        ("a", "state is never valid"),
        ("b", "state is not valid at 1 of 12 ticks"),
    ]
    table = pq.read_table(tmp_path / "whole/data/chunk-000/file-000.parquet")
    assert "valid" not in table.column_names
    assert set(_column(table, "episode_index")) == {0}
    with pytest.raises(ExportError, match="no episode can be exported: a: state is never valid"):
        export_lerobot(select_source(dataset, where="episode == 'a'"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_films_end_at_their_limit(make_dataset: MakeDataset, recipe, tmp_path: Path):
    recipes = [recipe(name, num_ticks=5) for name in "abc"]

    export_lerobot(select_source(make_dataset(*recipes)), tmp_path / "out", settings=LeRobotSettings(max_video_mb=0))

    films = sorted((tmp_path / f"out/videos/{CAMERA}/chunk-000").iterdir())
    assert [path.name for path in films] == [f"file-00{n}.mp4" for n in range(3)]
    rows = pq.read_table(tmp_path / "out/meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row[f"videos/{CAMERA}/file_index"] for row in rows] == [0, 1, 2]
    assert [row[f"videos/{CAMERA}/from_timestamp"] for row in rows] == [0, 0, 0]
    for film, each in zip(films, recipes, strict=True):
        assert _psnr(_pictures(film)[0][4], each.stored(4)) > 30


def test_tables_end_at_their_limit(make_dataset: MakeDataset, recipe, tmp_path: Path):
    # 0.4 MB of state an episode
    recipes = [recipe(name, num_ticks=500, cameras={}, signals={"state": 200}) for name in "abcd"]

    export_lerobot(select_source(make_dataset(*recipes)), tmp_path / "out", settings=LeRobotSettings(max_data_mb=1))

    data = sorted((tmp_path / "out/data/chunk-000").iterdir())
    assert [pq.read_metadata(path).num_rows for path in data] == [1000, 1000]
    rows = pq.read_table(tmp_path / "out/meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row["data/file_index"] for row in rows] == [0, 0, 1, 1]
    assert [row["dataset_from_index"] for row in rows] == [0, 500, 1000, 1500]
    assert json.loads((tmp_path / "out/meta/info.json").read_text())["video_path"] is None


def test_files_are_counted_as_lerobot_does():
    place, places = FilePlace(), []
    for _ in range(2001):
        places.append((place.chunk_index, place.file_index))
        place = place.next

    assert [places[n] for n in (0, 999, 1000, 1999, 2000)] == [(0, 0), (0, 999), (1, 0), (1, 999), (2, 0)]
    assert FilePlace(1, 23).path(VIDEO, video_key="k") == "videos/k/chunk-001/file-023.mp4"


def test_splits_stay_together(make_dataset: MakeDataset, recipe, tmp_path: Path):
    dataset = make_dataset(*(recipe(f"run{n}", cameras={}, num_ticks=3) for n in range(12)))
    curated = curate(dataset, splits={"val": 0.5, "train": 0.5})
    table = load_snapshot(dataset, curated.id)
    train = sorted(table["episode"][table["split"] == "train"])
    val = sorted(table["episode"][table["split"] == "val"])

    report = export_lerobot(select_source(dataset, snapshot=curated.id), tmp_path / "out")

    assert train
    assert val
    assert [each.episode for each in report.episodes] == train + val
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["splits"] == {"train": f"0:{len(train)}", "val": f"{len(train)}:12"}


@pytest.mark.parametrize("rate_hz", ["30000/1001", "12.5", "1/10", "400"])
def test_any_rate(make_dataset: MakeDataset, recipe, tmp_path: Path, rate_hz: str):
    dataset = make_dataset(recipe("a", rate_hz=rate_hz, num_ticks=3), recipe("b", rate_hz=rate_hz, num_ticks=4))

    export_lerobot(select_source(dataset), tmp_path / "out")

    assert json.loads((tmp_path / "out/meta/info.json").read_text())["fps"] == float(Fraction(rate_hz))
    _, times = _pictures(tmp_path / f"out/videos/{CAMERA}/chunk-000/file-000.mp4")
    assert times == [n / Fraction(rate_hz) for n in range(7)]


def test_statistics_of_the_whole(make_dataset: MakeDataset, recipe, tmp_path: Path):
    recipes = [recipe("a", lossless=("images/cam_high",)), recipe("b", num_ticks=30, lossless=("images/cam_high",))]

    export_lerobot(select_source(make_dataset(*recipes)), tmp_path / "out")

    stats = json.loads((tmp_path / "out/meta/stats.json").read_text())
    state = np.concatenate([each.values("state") for each in recipes]).astype(float)
    for name, expected in (
        ("mean", state.mean(0)),
        ("std", state.std(0)),
        ("min", state.min(0)),
        ("max", state.max(0)),
        ("count", [42]),
    ):
        np.testing.assert_allclose(stats["observation.state"][name], expected, rtol=1e-6)
    pixels = np.concatenate([[each.picture(n) for n in range(each.num_ticks)] for each in recipes]) / 255
    np.testing.assert_allclose(np.squeeze(stats[CAMERA]["mean"]), pixels.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(np.squeeze(stats[CAMERA]["std"]), pixels.std((0, 1, 2)), rtol=1e-6)
    assert np.shape(stats[CAMERA]["q99"]) == (3, 1, 1)
    assert stats[CAMERA]["count"] == [42]
    assert set(stats) == set(json.loads((tmp_path / "out/meta/info.json").read_text())["features"])


def test_names_of_ones_own(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", signals={"state": 3, "action": 2, "gripper": 1})
    names = {"gripper": "observation.state", "images/cam_high": "observation.images.top"}

    export_lerobot(select_source(make_dataset(made)), tmp_path / "out", names=names)

    table = pq.read_table(tmp_path / "out/data/chunk-000/file-000.parquet")
    expected = np.concatenate([made.values("state"), made.values("gripper")], axis=1)
    np.testing.assert_array_equal(_column(table, "observation.state").astype(np.float32), expected)
    assert (tmp_path / "out/videos/observation.images.top/chunk-000/file-000.mp4").is_file()
    with pytest.raises(ExportError, match=r"depth/cam_high cannot be written: LeRobot has no exact depth"):
        export_lerobot(
            select_source(Dataset(tmp_path / "dataset")), tmp_path / "x", names={"depth/cam_high": "observation.depth"}
        )


def test_odd_sizes_are_refused(make_dataset: MakeDataset, recipe, tmp_path: Path):
    source = select_source(make_dataset(recipe("a", cameras={"images/odd": (63, 96)})))

    with pytest.raises(ExportError, match="images/odd has pictures of 96 × 63, and video needs even sizes"):
        export_lerobot(source, tmp_path / "out")


def test_nothing_is_written_over(make_dataset: MakeDataset, recipe, tmp_path: Path):
    source = select_source(make_dataset(recipe("a", cameras={})))
    full, file, empty = tmp_path / "full", tmp_path / "file", tmp_path / "empty"
    full.mkdir()
    (full / "mine").write_text("mine")
    file.write_text("mine")
    empty.mkdir()

    with pytest.raises(ExportError, match="full: is not empty"):
        export_lerobot(source, full)
    with pytest.raises(ExportError, match="file: is no folder"):
        export_lerobot(source, file)
    export_lerobot(source, empty)

    assert [path.name for path in full.iterdir()] == ["mine"]
    assert (empty / "meta/info.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "empty", "file", "full"]


def test_a_damaged_frame_leaves_nothing(make_dataset: MakeDataset, recipe, tmp_path: Path):
    dataset = make_dataset(recipe("a"), recipe("b"))
    shard = next(path for path in (dataset.episodes_dir / "b/v1.zarr/images/cam_high/c").rglob("*") if path.is_file())
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 0xFF
    shard.write_bytes(data)

    with pytest.raises(StorageError):
        export_lerobot(select_source(dataset), tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_a_killed_export_leaves_nothing_that_looks_finished(make_dataset: MakeDataset, recipe, tmp_path: Path):
    dataset = make_dataset(recipe("a"), recipe("b"))
    program = (
        "import sys; from pathlib import Path; from bagmill.dataset import Dataset\n"
        "from bagmill.exports import export_lerobot, select_source\n"
        "def tell(done, total):\n"
        "    if done > 15:\n"
        "        print('in the middle', flush=True); sys.stdin.read()\n"
        "export_lerobot(select_source(Dataset(Path(sys.argv[1]))), Path(sys.argv[2]), progress=tell)\n"
    )
    arguments = [sys.executable, "-c", program, str(dataset.path), str(tmp_path / "out")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"in the middle\n"
        killed.send_signal(signal.SIGKILL)

    assert not (tmp_path / "out").exists()
    left = [path.name for path in tmp_path.iterdir() if path.name != "dataset"]
    assert left
    assert all(name.startswith(".staging-out-") for name in left)
    export_lerobot(select_source(dataset), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "out"], "the next one has swept it"


def _encoder_processes() -> list[int]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"encoder_process.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_an_encoder_that_crashes_is_replaced(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", num_ticks=20)
    killed: list[int] = []
    calls: list[int] = []

    def kill(done: int, total: int) -> None:
        calls.append(done)
        if done == 12 and not killed:
            killed.extend(_encoder_processes())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    report = export_lerobot(select_source(make_dataset(made)), tmp_path / "out", progress=kill)

    assert killed
    assert calls[-1] == 20
    assert calls.count(12) == 2, "what is made again is not counted twice"
    pictures, _ = _pictures(tmp_path / f"out/videos/{CAMERA}/chunk-000/file-000.mp4")
    assert all(_psnr(pictures[tick], made.stored(tick)) > 30 for tick in range(20))
    assert report.size_bytes == sum(
        path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != REPORT_FILE
    )


def test_an_encoder_that_always_crashes_is_told_of(make_dataset: MakeDataset, recipe, tmp_path: Path):
    def kill(done: int, total: int) -> None:
        for pid in _encoder_processes():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(StorageError, match=r"out/\.films.*: the AV1 encoder's process was ended by SIGKILL, twice"):
        export_lerobot(select_source(make_dataset(recipe("a"))), tmp_path / "out", progress=kill)

    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_progress_ends_where_it_said(make_dataset: MakeDataset, recipe, tmp_path: Path):
    calls: list[tuple[int, int]] = []
    dataset = make_dataset(recipe("a"), recipe("b", invalid={"state": tuple(range(12))}))

    export_lerobot(select_source(dataset), tmp_path / "out", progress=lambda *call: calls.append(call))

    assert {total for _, total in calls} == {24}
    assert calls[-1] == (24, 24)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
