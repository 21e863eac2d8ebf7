"""Tensors, workers and resumes: what a model gets, whoever decodes it."""

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import time
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from bagmill.dataset import Dataset
from bagmill.errors import StorageError, TrainingError
from bagmill.normalisation import measure_normalisation
from bagmill.training import ColourJitter, EpisodeDataset, JpegCompression, Mixture, SignalScaling, Window

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[torch]'")

from bagmill.training.torch import Tensors, TorchDataset, as_is, make_loader  # noqa: E402 - after the skip
from tests.store_server import serving  # noqa: E402 - as above

FEATURES = ["images/high", "depth/high", "state", "action"]


@pytest.fixture(scope="module")
def data(dataset: Dataset) -> EpisodeDataset:
    return EpisodeDataset(dataset, features=FEATURES, history=2, horizon=3, image_size=(24, 32))


def assert_same(found: Tensors, expected: Tensors) -> None:
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        assert found[key].dtype == tensor.dtype
        assert torch.equal(found[key], tensor), key


def samples_of(data: EpisodeDataset, batch: Tensors) -> list[int]:
    """Which samples a batch is, by their episodes and ticks."""
    known = {
        place: n
        for n, place in enumerate(zip(*(each.tolist() for each in data.locate(np.arange(len(data)))), strict=True))
    }
    return [known[place] for place in zip(batch["episode"].tolist(), batch["tick"].tolist(), strict=True)]


def test_tensors_are_what_the_dataset_reads_with_channels_first(data: EpisodeDataset):
    samples = [7, 120, 7, 3]
    expected = data.batch(samples)
    found = TorchDataset(data).__getitems__(samples)
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        as_read = found[key].movedim(-3, -1) if key.startswith("images/") else found[key]
        assert np.array_equal(as_read.numpy(), array), key
    image = found["images/high"]
    assert (image.shape, image.dtype) == ((4, 2, 3, 24, 32), torch.uint8)
    assert image[:, 0].is_contiguous(memory_format=torch.channels_last) or image.stride(-3) == 1
    assert (found["depth/high"].dtype, found["mask/state"].dtype) == (torch.uint16, torch.bool)
    alone = TorchDataset(data)[120]
    for key, tensor in found.items():
        assert torch.equal(alone[key], tensor[1])


@pytest.mark.parametrize("is_contiguous", [False, True])
def test_pictures_as_floats_and_in_either_layout(data: EpisodeDataset, is_contiguous: bool):
    samples = [5, 60]
    plain = TorchDataset(data).__getitems__(samples)["images/high"]
    laid_out = TorchDataset(data, is_contiguous=is_contiguous).__getitems__(samples)["images/high"]
    floats = TorchDataset(data, is_contiguous=is_contiguous, images="float32").__getitems__(samples)["images/high"]
    assert torch.equal(laid_out, plain)
    assert torch.equal(floats, plain.float() / 255)
    assert laid_out.is_contiguous() == floats.is_contiguous() == is_contiguous


def test_a_loader_of_ones_own_takes_whole_batches(data: EpisodeDataset):
    loader = torch.utils.data.DataLoader(TorchDataset(data), batch_size=8, collate_fn=as_is)
    batch = next(iter(loader))
    assert samples_of(data, batch) == list(range(8))


def test_a_loader_of_ones_own_needs_no_collate_fn(data: EpisodeDataset):
    samples = [3, 150, 7, 199]
    expected = dict(TorchDataset(data).__getitems__(samples))
    for dataset, sampler in (
        (TorchDataset(data), samples),
        (torch.utils.data.Subset(TorchDataset(data), samples), range(4)),
        (torch.utils.data.ConcatDataset([TorchDataset(data)] * 2), [n + 200 for n in samples]),
    ):
        for num_workers in (0, 1):
            loader = torch.utils.data.DataLoader(
                dataset,
                batch_size=4,
                sampler=sampler,
                num_workers=num_workers,
                multiprocessing_context="fork" if num_workers else None,
            )
            (found,) = loader
            assert type(found) is dict
            assert_same(found, expected)
    plain = next(iter(torch.utils.data.DataLoader(data, batch_size=4, sampler=samples)))
    for key, tensor in expected.items():
        assert torch.equal(plain[key].movedim(-1, -3) if key.startswith("images/") else plain[key], tensor), key
    alone = next(iter(torch.utils.data.DataLoader(TorchDataset(data), batch_size=None, sampler=samples)))
    assert_same(alone, TorchDataset(data)[3])
    with pytest.raises(KeyError, match="images/nothing"):
        TorchDataset(data).__getitems__(samples)["images/nothing"]


def test_what_a_loader_cannot_read_is_told_with_what_can(data: EpisodeDataset):
    subset = torch.utils.data.Subset(data, [1, 2, 3])
    for ask in (lambda given: make_loader(given, batch_size=2), TorchDataset):
        with pytest.raises(
            TrainingError, match=r"found Subset\. .*`where` or `split`.*DataLoader\(Subset\(TorchDataset"
        ):
            ask(subset)
        with pytest.raises(TrainingError, match=r"found TorchDataset\. Give the dataset that it was made of"):
            ask(TorchDataset(data))
        with pytest.raises(TrainingError, match=r"found str\. Open it first: EpisodeDataset\('/data/kitchen'\)"):
            ask("/data/kitchen")
    with pytest.raises(TrainingError, match="one sample is asked for by a whole number"):
        TorchDataset(data)[1:3]


def test_a_sample_below_zero_is_changed_as_the_same_sample_is(data: EpisodeDataset):
    tensors = TorchDataset(data, augmentations=[ColourJitter(0.4, 0.4)])
    assert_same(tensors[-1], tensors[199])
    assert_same(dict(tensors.__getitems__([-200, -1])), dict(tensors.__getitems__([0, 199])))
    assert all(len(tensor) == 0 for tensor in tensors.__getitems__([]).values())
    assert "images/high" in tensors
    assert "images/low" not in tensors


def test_a_scaling_of_another_number_of_sources_is_refused(data: EpisodeDataset):
    statistics = measure_normalisation(data.dataset, data.snapshot_id)
    mixture = Mixture([(data, 1), (data, 2)])
    with pytest.raises(TrainingError, match="the scaling is of 1 statistics, the samples of 2 sources"):
        make_loader(mixture, batch_size=4, scaling=SignalScaling(mixture.spec, statistics))
    with pytest.raises(TrainingError, match="the scaling is of 2 statistics, the samples of 1 sources"):
        make_loader(data, batch_size=4, scaling=SignalScaling(data.spec, [statistics, statistics]))


@pytest.mark.parametrize("padding", ["edge", "zero"])
def test_zeros_where_nothing_was_stay_zeros_when_a_loader_scales(dataset: Dataset, padding: str):
    data = EpisodeDataset(dataset, features=["state", "action"], history=4, horizon=4, padding=padding)
    scaling = SignalScaling(data.spec, measure_normalisation(dataset))
    (plain,) = make_loader(data, batch_size=200, shuffle=False)
    (scaled,) = make_loader(data, batch_size=200, shuffle=False, scaling=scaling)
    for key in ("state", "action"):
        is_nothing = (plain[key] == 0).all(-1)
        assert (~plain[f"mask/{key}"][is_nothing]).all(), "no tick that was measured is all zeros"
        assert is_nothing.any()
        assert not scaled[key][is_nothing].any()
        restored = torch.from_numpy(scaling.restore(key, scaled[key].numpy()))
        assert torch.allclose(restored[~is_nothing], plain[key][~is_nothing].double(), atol=1e-5)
        if padding == "zero":
            assert not scaled[key][~plain[f"mask/{key}"]].any()


def test_an_epoch_is_every_sample_once_and_the_next_is_another_order(data: EpisodeDataset):
    loader = make_loader(data, batch_size=32, seed=1, tail="spread")
    assert len(loader) == 7
    epochs = [[samples_of(data, batch) for batch in loader] for _ in range(2)]
    for epoch in epochs:
        assert sorted(chain.from_iterable(epoch)) == list(range(len(data)))
    assert epochs[0] != epochs[1]
    loader.set_epoch(0)
    assert [samples_of(data, batch) for batch in loader] == epochs[0]
    stored = make_loader(data, batch_size=50, shuffle=False)
    assert [samples_of(data, batch) for batch in stored][1] == list(range(50, 100))


def assert_resumes(
    data: EpisodeDataset, *, first: dict[str, object], second: dict[str, object], num_batches: int = 3
) -> None:
    """What a loader left in the middle of an epoch, another one takes up, pixel for pixel."""
    options = {"batch_size": 16, "seed": 5, "augment": [ColourJitter(0.2, 0.2), JpegCompression()]}
    whole = list(make_loader(data, **options))
    loader = make_loader(data, **options, **first)
    for found, expected in zip(islice(loader, num_batches), whole, strict=False):
        assert_same(found, expected)
    state = json.loads(json.dumps(loader.state_dict()))
    assert state["num_consumed"] == 16 * num_batches, "what was delivered, not what was decoded ahead of it"
    again = make_loader(data, **options, **second)
    again.load_state_dict(state)
    assert len(again) == len(whole), "an epoch's length is that of a whole one"
    rest = list(again)
    assert len(rest) == len(whole) - num_batches
    for found, expected in zip(rest, whole[num_batches:], strict=True):
        assert_same(found, expected)
    assert again.state_dict()["epoch"] == 1


def test_threads_give_what_processes_give_after_any_resume(data: EpisodeDataset):
    assert_resumes(data, first={"num_workers": 2, "start_method": "fork"}, second={"num_workers": 0, "prefetch": 0})
    assert_resumes(data, first={"num_workers": 0, "prefetch": 3}, second={"num_workers": 1, "start_method": "fork"})


def test_spawned_processes_open_the_dataset_anew(data: EpisodeDataset):
    data.batch([0, 1])
    assert_resumes(data, first={"num_workers": 0}, second={"num_workers": 1, "start_method": "spawn"})


@pytest.mark.parametrize(("before", "after"), [((1, 24), (3, 8)), ((2, 12), (3, 5)), ((3, 8), (1, 10))])
def test_a_run_goes_on_with_another_number_of_ranks(
    data: EpisodeDataset, before: tuple[int, int], after: tuple[int, int]
):
    whole = [samples_of(data, batch)[0] for batch in make_loader(data, batch_size=1, seed=2)]

    def woven(
        world: int, batch_size: int, state: dict[str, object] | None, num_steps: int | None
    ) -> tuple[list[int], dict]:
        loaders = [make_loader(data, batch_size=batch_size, seed=2, rank=rank, world=world) for rank in range(world)]
        for loader in loaders:
            if state is not None:
                loader.load_state_dict(state)
        taken = []
        for step in zip(*(islice(loader, num_steps) for loader in loaders), strict=True):
            taken += [
                each for place in zip(*(samples_of(data, batch) for batch in step), strict=True) for each in place
            ]
        return taken, loaders[0].state_dict()

    had, state = woven(*before, None, 3)
    assert had == whole[:72]
    rest, _ = woven(*after, state, None)
    size = after[0] * after[1]
    assert had + rest == whole[: 72 + (len(whole) - 72) // size * size]


def places_of_rank(
    data: EpisodeDataset, rendezvous: Path, rank: int, *, is_made_before: bool
) -> list[list[tuple[int, int]]]:
    """Episode and tick of every sample of every batch, in a process of a group of two."""
    loader = make_loader(data, batch_size=16, tail="spread") if is_made_before else None
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    try:
        loader = loader or make_loader(data, batch_size=16, tail="spread")
        assert len(loader) == 7
        return [list(zip(batch["episode"].tolist(), batch["tick"].tolist(), strict=True)) for batch in loader]
    finally:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize("is_made_before", [False, True])
def test_ranks_are_those_of_torch_distributed(data: EpisodeDataset, tmp_path: Path, is_made_before: bool):
    arguments = [(data, tmp_path / "rendezvous", rank) for rank in range(2)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        per_rank = pool.starmap(partial(places_of_rank, is_made_before=is_made_before), arguments, chunksize=1)
    places = list(chain.from_iterable(chain.from_iterable(per_rank)))
    assert len(places) == len(set(places)) == len(data)
    assert [len(batches) for batches in per_rank] == [7, 7]


@pytest.mark.parametrize("options", [{}, {"num_workers": 1, "start_method": "fork"}])
def test_a_loader_that_was_left_begins_its_epoch_again(data: EpisodeDataset, options: dict[str, object]):
    whole = [samples_of(data, batch) for batch in make_loader(data, batch_size=25, seed=3)]
    loader = make_loader(data, batch_size=25, seed=3, **options)
    for num_batches in (3, 3, 1):
        assert [samples_of(data, batch) for batch in islice(loader, num_batches)] == whole[:num_batches]
        assert len(loader) == 8
        assert loader.state_dict()["num_consumed"] == 25 * num_batches
    assert [samples_of(data, batch) for batch in loader] == whole
    assert (len(loader), loader.progress.epoch) == (8, 1)
    following = [samples_of(data, batch) for batch in islice(loader, 8)]
    assert following != whole
    assert loader.progress.epoch == 2, "as many batches as there are is a whole epoch"
    loader.set_epoch(1)
    assert [samples_of(data, batch) for batch in loader] == following


def test_a_state_is_gone_on_from_once(data: EpisodeDataset):
    whole = [samples_of(data, batch) for batch in make_loader(data, batch_size=25, seed=3)]
    loader = make_loader(data, batch_size=25, seed=3)
    next(iter(loader))
    state = loader.state_dict()
    loader.load_state_dict(state)
    iter(loader)
    loader.set_epoch(0)
    assert [samples_of(data, batch) for batch in islice(loader, 2)] == whole[1:3], "nothing was taken before"
    assert [samples_of(data, batch) for batch in loader] == whole
    loader.load_state_dict(state)
    loader.rewind()
    assert [samples_of(data, batch) for batch in loader] == whole
    loader.load_state_dict(state)
    loader.set_epoch(1)
    assert [samples_of(data, batch) for batch in loader] != whole
    assert loader.progress.epoch == 2
    with pytest.raises(TrainingError, match="no epoch -1"):
        loader.set_epoch(-1)


@pytest.mark.parametrize("options", [{}, {"num_workers": 1, "start_method": "fork"}])
def test_an_iteration_ends_where_another_one_begins(data: EpisodeDataset, options: dict[str, object]):
    loader = make_loader(data, batch_size=25, **options)
    first = iter(loader)
    next(first)
    second = iter(loader)
    next(first)
    next(second)
    with pytest.raises(TrainingError, match=r"iterated anew, or sent elsewhere.*a loader for each"):
        next(first)
    assert len(list(second)) == 7


def test_the_length_stays_while_an_epoch_is_under_way(data: EpisodeDataset):
    loader = make_loader(data, batch_size=50)
    assert [len(loader) for _ in loader] == [4, 4, 4, 4]


def test_what_is_scaled_is_float32_whatever_is_stored_and_whoever_decodes(data: EpisodeDataset):
    assert {key: data.spec[key].dtype.name for key in ("state", "action")} == {"state": "float32", "action": "float64"}
    scaling = SignalScaling(data.spec, measure_normalisation(data.dataset, data.snapshot_id))
    by_threads = next(iter(make_loader(data, batch_size=50, scaling=scaling)))
    loader = make_loader(data, batch_size=50, scaling=scaling, num_workers=1, start_method="fork")
    assert_same(next(iter(loader)), by_threads)
    assert {by_threads[key].dtype for key in ("state", "action")} == {torch.float32}
    mixture = Mixture([(data, 1)])
    mixed = next(
        iter(
            make_loader(
                mixture, batch_size=50, scaling=SignalScaling(mixture.spec, [measure_normalisation(data.dataset)])
            )
        )
    )
    assert mixed["action"].dtype == torch.float32


def test_signals_are_scaled_and_pictures_changed_anew_in_every_epoch(data: EpisodeDataset):
    scaling = SignalScaling(data.spec, measure_normalisation(data.dataset, data.snapshot_id))
    options = {"batch_size": 200, "shuffle": False, "augment": [ColourJitter(0.4)]}
    loader = make_loader(data, scaling=scaling, **options)
    first, second = next(iter(loader)), next(iter(loader))
    plain = next(iter(make_loader(data, batch_size=200, shuffle=False)))
    expected = {"state": plain["state"].numpy().copy(), "action": plain["action"].numpy().copy()}
    scaling.apply(expected)
    for key, array in expected.items():
        # Nothing of it lies beyond an episode that is not valid as well: `padding` is edge, and what was filled is 0.
        is_filled = (plain[key] == 0).all(-1).numpy()
        assert is_filled.any()
        assert first[key].dtype == torch.float32
        assert np.array_equal(first[key].numpy(), np.where(is_filled[..., None], 0, array).astype(np.float32))
        assert plain[key].numpy().dtype == data.spec[key].dtype, "unscaled, as it is stored"
        assert not np.array_equal(first[key].numpy(), plain[key].numpy())
    assert not torch.equal(first["images/high"], second["images/high"])
    assert torch.equal(first["state"], second["state"])
    assert_same(next(iter(make_loader(data, scaling=scaling, **options))), first)


def test_workers_write_to_the_same_memory_again_once_a_batch_is_given_up(data: EpisodeDataset):
    loader = make_loader(data, batch_size=10, num_workers=1, prefetch=1, start_method="fork")
    places = [batch["images/high"].data_ptr() for batch in loader]
    assert len(places) == 20
    assert len(set(places)) == 3, "one that is decoded ahead, one that is given, one that was"
    whole = [samples_of(data, batch) for batch in make_loader(data, batch_size=10)]
    loader.set_epoch(0)
    assert [samples_of(data, batch) for batch in loader] == whole


def test_batches_that_are_held_are_not_written_to(data: EpisodeDataset):
    expected = list(make_loader(data, batch_size=10, num_workers=0))
    loader = make_loader(data, batch_size=10, num_workers=2, prefetch=1, start_method="fork")
    batches = iter(loader)
    first = [batch["images/high"][3] for batch in islice(batches, 5)]
    rest = list(batches)
    for found, batch in zip(first, expected, strict=False):
        assert torch.equal(found, batch["images/high"][3])
    for found, batch in zip(rest, expected[5:], strict=True):
        assert_same(found, batch)


def test_workers_end_with_their_loader(data: EpisodeDataset):
    loader = make_loader(data, batch_size=10, num_workers=1, start_method="fork")
    before = set(multiprocessing.active_children())
    batch = next(iter(loader))
    (worker,) = set(multiprocessing.active_children()) - before
    kept = batch["state"].clone()
    del loader
    worker.join(timeout=60)
    assert worker.exitcode is not None
    assert torch.equal(batch["state"], kept), "what was delivered stays"


def test_a_mixture_is_loaded_and_resumed_like_a_dataset(data: EpisodeDataset, dataset: Dataset):
    other = EpisodeDataset(dataset, features=["images/high", "state"], history=2, image_size=(24, 32))
    mixture = Mixture([(data, 3), (other, 1)], seed=6, num_samples=100)
    loader = make_loader(mixture, batch_size=20, num_workers=1, start_method="fork")
    epochs = [torch.cat([batch["source"] for batch in loader]) for _ in range(2)]
    sources, _ = mixture.draw(np.arange(200))
    assert torch.cat(epochs).tolist() == sources.tolist()
    assert loader.state_dict()["epoch"] == 2
    state = json.loads(json.dumps(loader.state_dict()))
    same = make_loader(Mixture([(data, 0.75), (other, "0.25")], seed=6, num_samples=100), batch_size=50)
    same.load_state_dict(state)
    assert torch.cat([batch["source"] for batch in same]).tolist() == mixture.draw(np.arange(200, 300))[0].tolist()
    fewer = EpisodeDataset(dataset, features=["state"], history=2, where="num_ticks < 100")
    for entries, seed, sentence in (
        ([(data, 3), (other, 1)], 7, "seed is 6, this loader's 7"),
        ([(data, 1), (other, 1)], 6, "shares of the mixture are '3/4, 1/4', this loader's '1/2, 1/2'"),
        ([(other, 1), (data, 3)], 6, "shares of the mixture are '3/4, 1/4', this loader's '1/4, 3/4'"),
        ([(data, 3), (fewer, 1)], 6, "200 samples of 4 .* this loader's .*200 samples of 4 .*; 50 samples of 3 "),
        ([(data, 3), (other, 0.5), (fewer, 0.5)], 6, "snapshot is"),
    ):
        changed = Mixture(entries, seed=seed, num_samples=100)
        with pytest.raises(TrainingError, match=sentence):
            make_loader(changed, batch_size=20).load_state_dict(state)


def test_a_state_of_other_samples_of_a_snapshot_is_refused(data: EpisodeDataset, dataset: Dataset):
    state = make_loader(data, batch_size=10).state_dict()
    make_loader(EpisodeDataset(dataset, where="num_ticks > 0"), batch_size=10).load_state_dict(state)
    with pytest.raises(TrainingError, match="number of samples is 200, this loader's 160"):
        make_loader(
            EpisodeDataset(dataset, where="num_ticks > 9", horizon=16, padding="drop"), batch_size=10
        ).load_state_dict(state)
    first, second = (
        EpisodeDataset(dataset, features=["state"], windows={"state": Window((offset,))}, padding="drop")
        for offset in (-1, 1)
    )
    assert len(first) == len(second)
    with pytest.raises(
        TrainingError, match="choice of episodes and ticks is '196 samples of 4 .*this loader's '196 samples"
    ):
        make_loader(second, batch_size=10).load_state_dict(make_loader(first, batch_size=10).state_dict())


@dataclass
class KillsItsWorker:
    """A change to pictures that ends the process it runs in, once there is a file."""

    file: Path

    def __call__(self, images: np.ndarray, keys: np.ndarray, /) -> None:
        if self.file.exists() and multiprocessing.parent_process() is not None:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_told_and_the_next_iteration_has_another(data: EpisodeDataset):
    whole = [samples_of(data, batch) for batch in make_loader(data, batch_size=10)]
    loader = make_loader(data, batch_size=10, num_workers=2, start_method="fork")
    before = set(multiprocessing.active_children())
    batches = iter(loader)
    next(batches)
    workers = set(multiprocessing.active_children()) - before
    assert len(workers) == 2
    victim = min(workers, key=lambda worker: worker.pid)
    victim.kill()
    victim.join()
    with pytest.raises(
        TrainingError, match=r"1 of the processes that decode batches .*Take fewer num_workers.*/dev/shm"
    ):
        list(batches)
    state = loader.state_dict()
    assert state["num_consumed"] == 10
    loader.load_state_dict(state)
    assert [samples_of(data, batch) for batch in loader] == whole[1:]


def test_a_worker_that_dies_while_it_is_waited_for_is_told(data: EpisodeDataset, tmp_path: Path):
    killing = KillsItsWorker(tmp_path / "now")
    loader = make_loader(data, batch_size=10, num_workers=1, prefetch=1, start_method="fork", augment=[killing])
    batches = iter(loader)
    next(batches)
    killing.file.touch()
    with pytest.raises(TrainingError, match="1 of the processes that decode batches"):
        list(batches)
    killing.file.unlink()
    assert len(list(loader)) == 20


def test_a_stopped_worker_is_told_after_the_timeout_and_the_next_iteration_has_another(data: EpisodeDataset):
    whole = [samples_of(data, batch) for batch in make_loader(data, batch_size=10)]
    loader = make_loader(data, batch_size=10, num_workers=2, prefetch=1, start_method="fork", timeout_s=1.0)
    before = set(multiprocessing.active_children())
    batches = iter(loader)
    next(batches)
    workers = set(multiprocessing.active_children()) - before
    for worker in workers:
        os.kill(worker.pid, signal.SIGSTOP)
    begun = time.monotonic()
    pids = "|".join(str(worker.pid) for worker in workers)
    with pytest.raises(
        TrainingError,
        match=rf"worker process ({pids}) has not read a batch in 1 s: samples of [\w.]+.* timeout_s waits longer",
    ):
        list(batches)
    assert time.monotonic() - begun < 20
    for worker in workers:
        worker.join(10)
        assert worker.exitcode == -signal.SIGKILL
    state = loader.state_dict()
    assert state["num_consumed"] >= 10
    loader.load_state_dict(state)
    assert [samples_of(data, batch) for batch in loader] == whole[state["num_consumed"] // 10 :]


def test_a_read_that_hangs_is_told_without_workers_too(data: EpisodeDataset, tmp_path: Path):
    with serving(data.dataset.path) as store:
        hanging = EpisodeDataset(store.url, features=["state"], cache_folder=tmp_path / "cache")
        store.stall_at = "state/c/0/0"
        loader = make_loader(hanging, batch_size=8, timeout_s=0.5, prefetch=0)
        with pytest.raises(TrainingError, match=r"the reading thread has not read a batch in 0\.5 s: samples of "):
            list(loader)
        assert store.stalled.is_set()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_keeps_its_sentence(data: EpisodeDataset, tmp_path: Path, num_workers: int):
    copy = Dataset(shutil.copytree(data.dataset.path, tmp_path / "copy"))
    damaged = EpisodeDataset(copy, features=["images/high"])
    shutil.rmtree(copy.episodes_dir)
    loader = make_loader(damaged, batch_size=8, num_workers=num_workers, start_method="fork" if num_workers else None)
    with pytest.raises(StorageError) as caught:
        list(loader)
    assert "Traceback" not in str(caught.value)
    assert str(copy.path) in str(caught.value)


def test_a_dataset_of_tensors_is_picklable(data: EpisodeDataset):
    tensors = TorchDataset(data, images="float32", augmentations=[JpegCompression()])
    again = pickle.loads(pickle.dumps(tensors))  # noqa: S301 - our own bytes
    assert_same(again.__getitems__([3, 9]), tensors.__getitems__([3, 9]))


def test_what_cannot_be_is_said(data: EpisodeDataset):
    with pytest.raises(TrainingError, match="no kind of images is called 'float16'"):
        make_loader(data, batch_size=4, images="float16")
    with pytest.raises(TrainingError, match="no start_method is called 'thread'"):
        make_loader(data, batch_size=4, num_workers=1, start_method="thread")
    with pytest.raises(TrainingError, match="rank and world go together"):
        make_loader(data, batch_size=4, rank=1)
    with pytest.raises(TrainingError, match="timeout_s is a number of seconds above 0"):
        make_loader(data, batch_size=4, timeout_s=0)
    with pytest.raises(TrainingError, match="not negative"):
        make_loader(data, batch_size=4, num_workers=-1)
    with pytest.raises(TrainingError, match="200 samples do not fill one step of 1 × 201"):
        make_loader(data, batch_size=201)
