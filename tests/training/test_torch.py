"""Tensors, workers and resumes: what a model gets, whoever decodes it."""

import json
import multiprocessing
import pickle
import shutil
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from bagmill.dataset import Dataset
from bagmill.errors import StorageError, TrainingError
from bagmill.normalisation import measure_normalisation
from bagmill.training import ColourJitter, EpisodeDataset, JpegCompression, Mixture, SignalScaling

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[torch]'")

from bagmill.training.torch import Tensors, TorchDataset, as_is, make_loader  # noqa: E402 - after the skip

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
    assert len(again) == len(whole) - num_batches
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


def places_of_rank(data: EpisodeDataset, rendezvous: Path, rank: int) -> list[list[tuple[int, int]]]:
    """Episode and tick of every sample of every batch, in a process of a group of two."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    try:
        loader = make_loader(data, batch_size=16, tail="spread")
        return [list(zip(batch["episode"].tolist(), batch["tick"].tolist(), strict=True)) for batch in loader]
    finally:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def test_ranks_are_those_of_torch_distributed(data: EpisodeDataset, tmp_path: Path):
    arguments = [(data, tmp_path / "rendezvous", rank) for rank in range(2)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        per_rank = pool.starmap(places_of_rank, arguments, chunksize=1)
    places = list(chain.from_iterable(chain.from_iterable(per_rank)))
    assert len(places) == len(set(places)) == len(data)
    assert [len(batches) for batches in per_rank] == [7, 7]


def test_a_loader_that_was_left_goes_on_or_is_rewound(data: EpisodeDataset):
    whole = [samples_of(data, batch) for batch in make_loader(data, batch_size=25, seed=3)]
    loader = make_loader(data, batch_size=25, seed=3, num_workers=1, start_method="fork")
    assert [samples_of(data, batch) for batch in islice(loader, 2)] == whole[:2]
    assert len(loader) == 6
    loader.set_epoch(0)
    assert [samples_of(data, batch) for batch in islice(loader, 2)] == whole[2:4]
    loader.rewind()
    assert len(loader) == 8
    assert [samples_of(data, batch) for batch in loader] == whole
    assert len(loader) == 8
    assert loader.progress.epoch == 1


def test_the_length_stays_while_an_epoch_is_under_way(data: EpisodeDataset):
    loader = make_loader(data, batch_size=50)
    assert [len(loader) for _ in loader] == [4, 4, 4, 4]


def test_signals_are_scaled_and_pictures_changed_anew_in_every_epoch(data: EpisodeDataset):
    scaling = SignalScaling(data.spec, measure_normalisation(data.dataset, data.snapshot_id))
    options = {"batch_size": 200, "shuffle": False, "augment": [ColourJitter(0.4)]}
    loader = make_loader(data, scaling=scaling, **options)
    first, second = next(iter(loader)), next(iter(loader))
    plain = next(iter(make_loader(data, batch_size=200, shuffle=False)))
    expected = {"state": plain["state"].numpy().copy(), "action": plain["action"].numpy().copy()}
    scaling.apply(expected)
    for key, array in expected.items():
        assert np.array_equal(first[key].numpy(), array)
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
    first = [batch["images/high"][3] for batch in islice(loader, 5)]
    rest = list(loader)
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
    with pytest.raises(TrainingError, match="seed is 6"):
        make_loader(Mixture([(data, 3), (other, 1)], seed=7, num_samples=100), batch_size=20).load_state_dict(
            loader.state_dict()
        )


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
    with pytest.raises(TrainingError, match="not negative"):
        make_loader(data, batch_size=4, num_workers=-1)
    with pytest.raises(TrainingError, match="200 samples do not fill one step of 1 × 201"):
        make_loader(data, batch_size=201)
