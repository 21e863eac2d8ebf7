"""Ranks, workers and resumes only say who takes which part of an order that stays the same."""

import json
import math
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bagmill.errors import TrainingError
from bagmill.training.order import Batch, Order, ShuffledBatches, Steps, Tail

TAILS = st.sampled_from(["drop", "spread"])


def ranks(order: Order, *, batch_size: int, world: int, tail: Tail) -> list[ShuffledBatches]:
    return [ShuffledBatches(order, batch_size=batch_size, rank=rank, world=world, tail=tail) for rank in range(world)]


def woven(batches: list[Batch]) -> list[int]:
    """What all ranks together had in a step, in the global order: one of each in turn."""
    longest = max(len(batch) for batch in batches)
    return [batch[n] for n in range(longest) for batch in batches if n < len(batch)]


def rest_of_epoch(samplers: list[ShuffledBatches], *, num_steps: int | None = None) -> list[int]:
    """The global sequence of so many steps, or of all to the epoch's end; every rank has to come as far."""
    steps = list(zip(*(list(_first(sampler, num_steps)) for sampler in samplers), strict=True))
    return [sample for step in steps for sample in woven(list(step))]


def _first(sampler: ShuffledBatches, num_steps: int | None):
    if num_steps == 0:
        return
    for n, batch in enumerate(sampler, start=1):
        yield batch
        if n == num_steps:
            return


@given(st.integers(1, 120), st.integers(1, 20), st.integers(1, 7), TAILS, st.integers(0, 5), st.integers(0, 3))
def test_ranks_divide_an_epoch_without_overlap_or_loss(
    num_samples: int, batch_size: int, world: int, tail: Tail, seed: int, epoch: int
):
    assume(num_samples >= (batch_size * world if tail == "drop" else world))
    order = Order(num_samples, seed)
    samplers = ranks(order, batch_size=batch_size, world=world, tail=tail)
    for sampler in samplers:
        sampler.load_state_dict(sampler.state_dict() | {"epoch": epoch})
    lengths = [len(sampler) for sampler in samplers]
    per_rank = [list(sampler) for sampler in samplers]
    assert [len(batches) for batches in per_rank] == lengths == [lengths[0]] * world
    taken = Counter(sample for batches in per_rank for batch in batches for sample in batch)
    assert max(taken.values()) == 1
    num_taken = num_samples if tail == "spread" else num_samples // (batch_size * world) * batch_size * world
    assert len(taken) == num_taken
    assert set(taken) <= set(range(num_samples))
    for step in zip(*per_rank, strict=True):
        sizes = [len(batch) for batch in step]
        assert max(sizes) - min(sizes) <= 1
        assert min(sizes) >= 1
        assert all(batch.epoch == epoch for batch in step)
    for batches in per_rank:
        assert all(len(batch) == batch_size for batch in batches[:-1])
        # Fewer leftovers than ranks go into the last full step.
        assert len(batches[-1]) <= batch_size + 1
    assert all(sampler.progress.epoch == epoch + 1 for sampler in samplers)
    assert all(sampler.progress.num_consumed == 0 for sampler in samplers)


@given(
    st.integers(1, 120),
    st.tuples(st.integers(1, 16), st.integers(1, 5)),
    st.tuples(st.integers(1, 16), st.integers(1, 5)),
    TAILS,
    st.data(),
)
def test_a_run_goes_on_with_the_very_next_sample_whoever_takes_it(
    num_samples: int, before: tuple[int, int], after: tuple[int, int], tail: Tail, data: st.DataObject
):
    order = Order(num_samples, seed=11)
    assume(all(num_samples >= (size * world if tail == "drop" else world) for size, world in (before, after)))
    whole = order.samples(0, np.arange(num_samples)).tolist()
    first = ranks(order, batch_size=before[0], world=before[1], tail=tail)
    num_steps = data.draw(st.integers(0, len(first[0]) - 1))
    had = rest_of_epoch(first, num_steps=num_steps)
    assert had == whole[: num_steps * before[0] * before[1]]
    states = [json.loads(json.dumps(sampler.state_dict())) for sampler in first]
    assert all(state == states[0] for state in states), "any rank's state is every rank's"

    num_left = num_samples - len(had)
    second = ranks(order, batch_size=after[0], world=after[1], tail=tail)
    if tail == "spread" and num_left < after[1]:
        with pytest.raises(TrainingError, match=f"{num_left} samples are left of the epoch for {after[1]} ranks"):
            second[0].load_state_dict(states[0])
        return
    for sampler in second:
        sampler.load_state_dict(states[0])
    if tail == "drop" and num_left < after[0] * after[1]:
        assert second[0].progress.epoch == 1
        return
    num_fitting = num_left if tail == "spread" else num_left // (after[0] * after[1]) * after[0] * after[1]
    assert had + rest_of_epoch(second) == whole[: len(had) + num_fitting]


def test_epochs_and_seeds_shuffle_anew_and_the_stored_order_stays():
    positions = np.arange(500)
    orders = [Order(500, seed).samples(epoch, positions).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert all(sorted(order) == positions.tolist() for order in orders)
    assert Order(500, kind="stored").samples(3, positions).tolist() == positions.tolist()
    assert Order(500, kind="endless").samples(3, positions).tolist() == (1500 + positions).tolist()


def test_an_iteration_that_is_left_begins_again_and_a_whole_one_is_followed_by_the_next_epoch():
    sampler = ShuffledBatches(Order(10, seed=1), batch_size=3)
    whole = [list(batch) for batch in ShuffledBatches(Order(10, seed=1), batch_size=3)]
    assert len(sampler) == len(whole) == 3
    for _ in range(3):
        assert list(next(iter(sampler))) == whole[0]
        assert len(sampler) == 3
        assert sampler.state_dict()["num_consumed"] == 3
    assert [list(batch) for batch in sampler] == whole
    assert sampler.progress.epoch == 1
    following = [list(batch) for batch in sampler]
    assert sampler.progress.epoch == 2
    assert sorted(map(len, following)) == [3, 3, 3]
    assert following != whole


def test_a_state_is_gone_on_from_once_and_the_epoch_is_whole_after_it():
    order = Order(10, seed=1)
    whole = [list(batch) for batch in ShuffledBatches(order, batch_size=3)]
    sampler = ShuffledBatches(order, batch_size=3)
    next(iter(sampler))
    state = sampler.state_dict()
    again = ShuffledBatches(order, batch_size=3)
    again.load_state_dict(state)
    assert len(again) == 3
    assert list(next(iter(again))) == whole[1]
    assert [list(batch) for batch in again] == whole, "left early, the epoch begins again"
    again.load_state_dict(state)
    assert [list(batch) for batch in again] == whole[1:]
    assert again.progress.epoch == 1


def test_leftovers_of_fewer_samples_than_ranks_lengthen_the_last_step():
    steps = Steps(26, batch_size=4, world=3, tail="spread")
    assert steps.num_steps == 2
    assert [steps.positions(1, rank=rank).tolist() for rank in range(3)] == [
        [12, 15, 18, 21, 24],
        [13, 16, 19, 22, 25],
        [14, 17, 20, 23],
    ]
    assert Steps(27, batch_size=4, world=3, tail="spread").num_steps == 3
    assert Steps(27, batch_size=4, world=3, tail="drop").num_steps == 2


def test_a_batch_keeps_its_epoch_on_its_way_to_a_worker():
    batch = pickle.loads(pickle.dumps(Batch([3, 1], epoch=4)))  # noqa: S301 - our own bytes
    assert (list(batch), batch.epoch) == ([3, 1], 4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"batch_size": 0}, "batch size of at least 1, found 0"),
        ({"batch_size": 2, "world": 0}, "number of ranks of at least 1"),
        ({"batch_size": 2, "rank": 2, "world": 2}, "rank 2 of 2 ranks"),
        ({"batch_size": 2, "rank": -1}, "rank -1 of 1 ranks"),
        ({"batch_size": 4, "world": 3}, "10 samples do not fill one step of 3 × 4"),
        ({"batch_size": 4, "world": 11, "tail": "spread"}, "10 samples are left of the epoch for 11 ranks"),
        ({"batch_size": 4, "tail": "keep"}, "no tail is called 'keep'. It is drop or spread"),
    ],
)
def test_what_cannot_be_is_said(arguments: dict[str, int], sentence: str):
    with pytest.raises(TrainingError, match=sentence):
        ShuffledBatches(Order(10), **arguments)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num_samples": 11}, "number of samples is 11, this loader's 10"),
        ({"seed": 2}, "seed is 2, this loader's 1"),
        ({"order": "stored"}, "order is 'stored', this loader's 'shuffled'"),
        ({"snapshot": "b"}, "snapshot is 'b', this loader's 'a'"),
        ({"chosen": "8 of 2"}, "choice of episodes and ticks is '8 of 2', this loader's '9 of 3'"),
        ({"shares": "1/3, 2/3"}, "shares of the mixture are '1/3, 2/3', this loader's '1/2, 1/2'"),
        ({"num_consumed": 11}, "sample 11 of epoch 0"),
        ({"epoch": -1}, "epoch -1"),
        ({"epoch": "x"}, "no state of a loader"),
        ({"epoch": math.inf}, "no state of a loader"),
    ],
)
def test_a_state_of_something_else_is_refused(change: dict[str, object], sentence: str):
    order = Order(10, seed=1, snapshot="a", chosen="9 of 3", shares="1/2, 1/2")
    sampler = ShuffledBatches(order, batch_size=2)
    with pytest.raises(TrainingError, match=sentence):
        sampler.load_state_dict(sampler.state_dict() | change)
    with pytest.raises(TrainingError, match="no state of a loader"):
        sampler.load_state_dict({})
    assert sampler.progress.epoch == 0


def test_a_state_of_an_earlier_version_is_taken_but_not_a_mixtures_which_says_nothing_of_shares():
    state = {"epoch": 2, "num_consumed": 4, "num_samples": 10, "seed": 1, "order": "shuffled", "snapshot": "a"}
    sampler = ShuffledBatches(Order(10, seed=1, snapshot="a", chosen="9 of 3"), batch_size=2)
    sampler.load_state_dict(state)
    assert (sampler.progress.epoch, sampler.progress.num_consumed) == (2, 4)
    mixed = ShuffledBatches(Order(10, seed=1, kind="endless", snapshot="a", shares="1/2, 1/2"), batch_size=2)
    with pytest.raises(TrainingError, match="shares of the mixture are '', this loader's '1/2, 1/2'"):
        mixed.load_state_dict(state | {"order": "endless"})


def test_no_samples_at_all_are_told_with_what_may_be_the_reason():
    with pytest.raises(TrainingError, match=r"the dataset has no samples\. Ask for shorter windows"):
        ShuffledBatches(Order(0), batch_size=2)
