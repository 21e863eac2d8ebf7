import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bagmill.dataset import Dataset, episode_name
from bagmill.errors import StorageError

ROOT = Path("/recordings")

part = st.one_of(
    st.text(alphabet="ab_.-", min_size=1, max_size=6),
    st.text(alphabet=st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=12),
    st.from_regex(r"a(-[0-9a-f]{10})?", fullmatch=True),
).filter(lambda text: text not in (".", ".."))
parts = st.lists(part, min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("run3.mcap", "run3.mcap"),
        ("day1/run3.mcap", "day1__run3.mcap"),
        ("Day-1/a_b/run.3.bag", "Day-1__a_b__run.3.bag"),
        ("_run", "_run"),
    ],
)
def test_plain_paths_are_written_as_they_are(path: str, name: str):
    assert episode_name(ROOT, ROOT / path) == name


@pytest.mark.parametrize(
    ("path", "beginning"),
    [
        ("my run.mcap", "my-run.mcap-"),
        ("day__1/run.mcap", "day__1__run.mcap-"),
        ("day_/run.mcap", "day___run.mcap-"),
        (".hidden/run.mcap", "hidden__run.mcap-"),
        ("-rf", "rf-"),
        ("a...b", "a---b-"),
        ("Größe.bag", "Gr--e.bag-"),
        ("...", "_-"),
        ("run-0123456789", "run-0123456789-"),
    ],
)
def test_others_carry_a_hash(path: str, beginning: str):
    assert re.fullmatch(re.escape(beginning) + "[0-9a-f]{10}", episode_name(ROOT, ROOT / path))


@given(parts)
@example(("a" * 200,))
@example(("day_", "_run"))
@example(("x" * 155, "é"))
def test_a_name_is_fit_to_be_a_file_and_a_partition(path: tuple[str, ...]):
    name = episode_name(ROOT, ROOT.joinpath(*path))

    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name)
    assert len(name) <= 160
    assert "..." not in name
    assert Dataset(ROOT).episode_path(name, "a1").parent.name == name


@given(parts, parts)
@example(("a_", "b"), ("a", "_b"))
@example(("a__b",), ("a", "b"))
@example(("a b",), ("a-b",))
@example(("a b",), ("a\tb",))
@example((".a",), ("a",))
@example(("é" * 100 + "1",), ("é" * 100 + "2",))
def test_no_two_recordings_share_a_name(one: tuple[str, ...], other: tuple[str, ...]):
    names = [episode_name(ROOT, ROOT.joinpath(*path)) for path in (one, other)]

    assert (names[0] == names[1]) == (one == other)


@given(parts)
def test_no_file_can_be_called_what_another_ones_name_becomes(path: tuple[str, ...]):
    name = episode_name(ROOT, ROOT.joinpath(*path))

    assert (episode_name(ROOT, ROOT / name) == name) == (name == "__".join(path) and len(path) == 1)


def test_names_that_are_not_utf8_have_bytes():
    one, other = (episode_name(ROOT, ROOT / name) for name in ("run\udc80.bag", "run\udc81.bag"))

    assert one != other


def test_the_folder_itself_may_be_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    assert episode_name(ROOT / "soccer_goal", ROOT / "soccer_goal") == "soccer_goal"
    assert episode_name(".", Path("day1/run.bag")) == "day1__run.bag"


@pytest.mark.parametrize("path", ["/elsewhere/run.bag", "/recordings2/run.bag", "/recordings/../run.bag"])
def test_a_recording_elsewhere_has_no_name(path: str):
    with pytest.raises(StorageError, match=re.escape(path)):
        episode_name(ROOT, path)
