"""Columns, units and scales of several holders brought together, or refused with both sides named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.dataset import HeldFeature, JoinedFeature, join_feature
from bagmill.errors import ColumnsError, FeatureError

NAMES = ("shoulder", "elbow", "wrist", "gripper")


def signal(
    *names: str,
    named: bool | tuple[bool, ...] = True,
    units: str | tuple[str | None, ...] | None = None,
    **changes: object,
) -> HeldFeature:
    width = len(names)
    said = {
        "names": names,
        "named": (named,) * width if isinstance(named, bool) else named,
        "units": (units,) * width if units is None or isinstance(units, str) else units,
        **changes,
    }
    return HeldFeature("state", "signal", (width,), np.dtype(said.pop("dtype", np.float32)), **said)  # type: ignore[arg-type]


def unknown(width: int) -> HeldFeature:
    """As an old snapshot has it whose episode cannot be read."""
    return HeldFeature("state", "signal", (width,), np.dtype(np.float32))


def depth(scale_m: float | None) -> HeldFeature:
    return HeldFeature("depth/cam", "depth", (4, 6), np.dtype(np.uint16), scale_m=scale_m)


def join(*held: HeldFeature, **options: object) -> JoinedFeature:
    return join_feature(
        {each: f"e{n}" for n, each in enumerate(held)},
        choose=lambda one, other: "choose one",
        **options,  # type: ignore[arg-type]
    )


@given(st.permutations(NAMES), st.permutations(NAMES), st.integers(0, 3))
def test_every_value_stays_with_its_name(first: list[str], second: list[str], num_axes: int) -> None:
    value = {name: float(len(name)) for name in NAMES}
    one, other = signal(*first), signal(*second, dtype=np.float64)

    joined = join(one, other)

    assert joined.held.names == tuple(first)
    assert joined.held.dtype == np.float64
    assert joined.note is None
    for held in (one, other):
        stored = np.broadcast_to([value[name] for name in held.names], (2,) * num_axes + (4,))
        expected = np.broadcast_to([value[name] for name in first], stored.shape)
        assert np.array_equal(joined.arranged(stored, held), expected)
    assert join(one, other, orders=[tuple(second), NAMES]).held.names == tuple(second)
    assert join(one, other, orders=[("a", "b"), NAMES]).held.names == NAMES


@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), min_size=1, max_size=3))
def test_a_union_has_every_name_once(orders: list[list[str]]) -> None:
    holders = [signal(*order) for order in orders]

    joined = join(*holders, is_union=True)

    assert sorted(joined.held.names) == sorted({name for order in orders for name in order})
    for held in holders:
        values = np.array([NAMES.index(name) + 1.0 for name in held.names])
        expected = [NAMES.index(name) + 1.0 if name in held.names else 0.0 for name in joined.held.names]
        assert joined.arranged(values, held).tolist() == expected


def test_other_names_are_refused_with_both_sides() -> None:
    with pytest.raises(ColumnsError) as caught:
        join(signal("a", "b", "c"), signal("c", "b", "d"))
    assert str(caught.value) == (
        "state has columns a, b, c in e0 and columns c, b, d in e1. "
        "Take the same ones everywhere with `names: [b, c]` in the profiles and ingest again; or choose one."
    )
    with pytest.raises(ColumnsError, match="columns a, b in e0 and columns a in e1"):
        join(signal("a", "b"), signal("a"))
    many = [f"joint{n}" for n in range(40)]
    with pytest.raises(ColumnsError, match=r"joint6, joint7, … 40 in all in e0 and columns a in e1"):
        join(signal(*many), signal("a"))


def test_columns_without_names_are_counted_and_that_is_said() -> None:
    position = signal("position[0]", "position[1]", named=False)
    joined = join(position, signal("velocity[0]", "velocity[1]", named=False), unknown(2))

    assert joined.held.shape == (2,)
    assert joined.held.names == ("[0]", "[1]")
    assert not joined.held.is_named
    assert joined.note == "state: columns without names ([0], [1]) are put together by place"
    assert join(position).held.names == ("position[0]", "position[1]")
    assert join(unknown(2)).held.names == ()
    with pytest.raises(ColumnsError, match="state has 2 and 3 numbers in different episodes, e0 and e1, and no names"):
        join(position, unknown(3))
    wide = join(position, signal(*(f"position[{n}]" for n in range(3)), named=False), is_union=True)
    assert wide.held.names == ("position[0]", "position[1]", "position[2]")
    assert wide.arranged(np.array([5.0, 6.0]), position).tolist() == [5, 6, 0]


def test_names_against_places_are_refused() -> None:
    for places in (signal("position[0]", "position[1]", named=False), unknown(2)):
        for is_union in (False, True):
            with pytest.raises(
                FeatureError, match=r"state has columns a, b in e0 and (only places|columns whose names)"
            ):
                join(signal("a", "b"), places, is_union=is_union)


def test_places_beside_names_follow_what_they_are_called() -> None:
    """A feature of several parts, some of which have no names, and whose parts stand in another order elsewhere."""
    one = signal("a", "b", "linear[0]", "angular[0]", named=(True, True, False, False))
    other = signal("angular[0]", "b", "a", "linear[0]", named=(False, True, True, False))

    joined = join(one, other)

    assert joined.arranged(np.array([4.0, 2.0, 1.0, 3.0]), other).tolist() == [1, 2, 3, 4]
    assert joined.held.named == (True, True, False, False)
    assert joined.note is not None
    assert "linear[0], angular[0]" in joined.note
    renamed = signal("b", "data", "a", "data[1]", named=(True, False, True, False))
    assert join(one, renamed).arranged(np.array([2.0, 3.0, 1.0, 4.0]), renamed).tolist() == [1, 2, 3, 4]
    with pytest.raises(ColumnsError, match="state has columns a, b"):
        join(one, signal("a", "c", "linear[0]", "angular[0]", named=(True, True, False, False)))


def test_a_name_that_stands_twice_is_only_good_in_its_place() -> None:
    twins = signal("a", "a", "b")
    assert join(twins, signal("a", "a", "b", dtype=np.float64)).held.names == ("a", "a", "b")
    for other in (signal("a", "b", "a"), signal("a", "b")):
        for is_union in (False, True):
            with pytest.raises(ColumnsError, match="a, a, b in e0"):
                join(twins, other, is_union=is_union)


def test_units_agree_by_name_or_are_refused() -> None:
    mixed = signal("arm", "grip", units=("rad", "m"))
    assert join(mixed, signal("grip", "arm", units=("m", "rad"))).held.units == ("rad", "m")
    with pytest.raises(FeatureError) as caught:
        join(mixed, signal("grip", "arm", units="rad"))
    assert str(caught.value) == (
        "state has grip in m in e0 and grip in rad in e1. "
        "Say the true unit with `units: m` in the profile and ingest again; or choose one."
    )
    with pytest.raises(FeatureError, match=r"a without a unit in e0 and a in deg in e1\. Say .* `units: deg`"):
        join(signal("a"), signal("a", units="deg"))
    with pytest.raises(FeatureError, match=r"state has x\[0\] in rad in e0 and x\[0\] in deg in e1"):
        join(signal("x[0]", named=False, units="rad"), signal("x[0]", named=False, units="deg"))


def test_scales_of_depth_agree_or_are_refused() -> None:
    assert join(depth(0.001), depth(float(np.float32(0.001)))).held.scale_m == 0.001, "as drivers tell it"
    with pytest.raises(FeatureError) as caught:
        join(depth(0.001), depth(0.00025))
    assert str(caught.value) == (
        "depth/cam has 0.001 m a count in e0 and 0.00025 m a count in e1. "
        "Say the true scale with `scale_m: …` in the profile and ingest again; or choose one."
    )
    with pytest.raises(FeatureError, match="0.001 m a count in e0 and a scale that is not known in e1"):
        join(depth(0.001), depth(None))
    assert join(depth(None)).held.scale_m is None


def test_pictures_of_other_sizes_are_left_to_whoever_fits_them() -> None:
    cameras = [HeldFeature("images/cam", "image", (size, 8, 3), np.dtype(np.uint8)) for size in (4, 6)]
    assert join(*cameras).held == cameras[0]
