"""Small hostile files, made by others: each is refused in words, or costs the one message that is damaged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bagmill.dataset import Dataset, select
from bagmill.drafts import draft_profile
from bagmill.episodes import Episode, verify_episode
from bagmill.errors import LimitError, PlanError, QueryError, RecordingError
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import load_profile
from bagmill.streams import scan

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "cases" / "hostile"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no hostile recordings in {FOLDER}")

REFUSALS = {
    "bz2_bomb_bag_20GB.bag": (LimitError, "the unpacked size of a chunk or message is 3,355,443,200"),
    "fault_bomb.mcap": (LimitError, "its 3,821 bytes hold more than 201,910 records"),
    "idl_shift.mcap": (PlanError, "the message's definition accounts for 4 bytes of 64"),
    "json_nested_900.mcap": (PlanError, "the depth of a JSON message is 65"),
    "protobuf_segfault.mcap": (PlanError, "the entries of the protobuf map .* are not made of a key 1 and a value 2"),
    "ros1_seq_empty_type.mcap": (PlanError, "`x` is a list of a type without fields"),
    "schema_fixed_array_3e7.mcap": (PlanError, "the length of the array `x` is 30,000,000"),
    "sql_generated_zeroblob.db3": (RecordingError, "column `data` of `messages` is computed"),
    "tiny_records_200MB_zstd.mcap": (LimitError, "its 18,496 bytes hold more than 209,248 records"),
    "types_doubling_ros1_empty.mcap": (PlanError, "the number of fields of a/msg/T25, written out, is 32,768"),
}


def test_every_recording_is_here() -> None:
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".bag", ".mcap", ".db3")}
    assert there == {*REFUSALS, "depth_png_two_ihdr.mcap"}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_it_asks_for_is_told(name: str) -> None:
    error, says = REFUSALS[name]
    with pytest.raises(error, match=says):
        draft_profile(scan(FOLDER / name))


def test_a_png_with_two_headers_costs_its_own_tick(tmp_path: Path) -> None:
    recording = FOLDER / "depth_png_two_ihdr.mcap"
    profile = load_profile(FOLDER / "depth_png_two_ihdr.yaml")
    outcome = ingest(IngestRequest("two", recording, tmp_path / "dataset", profile))
    assert outcome.refusal is None
    (version,) = Dataset(tmp_path / "dataset").published("two")
    path = Dataset(tmp_path / "dataset").episode_path("two", version)
    assert verify_episode(path).is_whole
    episode = Episode.open(path)
    (fault,) = episode.attributes["features"]["depth/c"]["decode_faults"]
    assert (fault["num_messages"], fault["reason"]) == (1, "a PNG with 2 headers")
    valid = np.flatnonzero(episode.valid("depth/c"))
    assert len(valid) == 58
    assert {episode.frame("depth/c", int(tick)).shape for tick in valid} == {(18, 24)}


def test_a_condition_that_runs_a_command_runs_nothing() -> None:
    where = (FOLDER / "query_rce_where.txt").read_text(encoding="utf-8").strip()
    canary = Path("/tmp/trust_pwned")  # noqa: S108 - where the condition would write to
    table = pd.DataFrame({"episode": ["a"], "task": ["pick"], "num_frames": [1], "features": ["{}"], "start_ns": [0]})
    with pytest.raises(QueryError):
        select(table, where)
    assert not canary.exists()
