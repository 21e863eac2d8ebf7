"""What trainers do with a loader: look into it, leave it early, save and load its state in the middle of an epoch.

Lightning and Accelerate are the judges where they are installed (`make trainers`); what they ask of a loader is also asked by
hand, so that it is tested without them.
"""

import json
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[torch]'")

from bagmill.training.torch import Loader, Tensors, make_loader  # noqa: E402 - after the skip

NUM_BATCHES = 8
Places = list[list[int]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> EpisodeDataset:
    """80 samples of a signal: 8 batches of 10."""
    dataset = Dataset(tmp_path_factory.mktemp("trainers") / "dataset")
    state = np.random.default_rng(3).normal(size=(80, 3)).astype(np.float32)
    publish_episode(dataset, PublishedEpisode(name="only", num_ticks=80, values={"state": state}))
    make_snapshot(dataset)
    return EpisodeDataset(dataset)


def new_loader(data: EpisodeDataset, **options: object) -> Loader:
    return make_loader(data, batch_size=10, seed=4, **options)


def places(batches: Iterator[Tensors]) -> Places:
    return [batch["tick"].tolist() for batch in batches]


@pytest.fixture(scope="module")
def epochs(data: EpisodeDataset) -> list[Places]:
    """What three epochs are, each by a loader that was sent there."""
    found = []
    for epoch in range(3):
        loader = new_loader(data)
        loader.set_epoch(epoch)
        found.append(places(iter(loader)))
    assert [sorted(chain.from_iterable(epoch)) for epoch in found] == [list(range(80))] * 3
    return found


@pytest.mark.parametrize(
    ("limit", "num_done"), [(NUM_BATCHES, n) for n in (0, 1, 3, 8, 12, 16)] + [(3, n) for n in (0, 1, 3, 5, 8)]
)
def test_a_trainers_own_steps_by_hand(data: EpisodeDataset, epochs: list[Places], limit: int, num_done: int):
    """Iterators are made beforehand, `set_epoch` comes after `iter`, and none is taken to its end."""
    expected = [batch for epoch in epochs for batch in epoch[:limit]]
    taken: Places = []
    loader = new_loader(data)
    assert places(islice(iter(loader), 2)) == epochs[0][:2], "a sanity check"
    for epoch in range(3):
        iter(loader)
        batches = iter(loader)
        loader.batch_sampler.sampler.set_epoch(epoch)
        for _ in range(min(limit, len(loader))):
            if len(taken) == num_done:
                state = json.loads(json.dumps(loader.state_dict()))
            taken.append(next(batches)["tick"].tolist())
    assert taken == expected

    resumed = new_loader(data)
    resumed.load_state_dict(state)
    rest: Places = []
    for epoch in range(num_done // limit, 3):
        batches = iter(resumed)
        resumed.batch_sampler.sampler.set_epoch(epoch)
        first = num_done % limit if epoch == num_done // limit else 0
        rest += places(islice(batches, min(limit, len(resumed)) - first))
    assert rest == expected[num_done:]


def train(data: EpisodeDataset, folder: Path, *, resume: Path | None = None, loader: Loader, **options: object):
    """The batches of three epochs under Lightning: of training, and of validation."""
    lightning = pytest.importorskip("lightning", reason="Lightning is not installed: make trainers")

    class Model(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)
            self.trained: Places = []
            self.validated: Places = []

        def training_step(self, batch: Tensors, _: int):
            self.trained.append(batch["tick"].tolist())
            return self.layer(batch["state"]).square().mean()

        def validation_step(self, batch: Tensors, _: int) -> None:
            self.validated.append(batch["tick"].tolist())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 1e-3)

    model = Model()
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **options,
    )
    validation = make_loader(data, batch_size=10, shuffle=False)
    trainer.fit(model, loader, validation, ckpt_path=resume, **({"weights_only": False} if resume else {}))
    return model.trained, model.validated


lightning_warns = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore::FutureWarning:lightning")
"""Of cores that are idle, and of what it finds deprecated in torch."""


@lightning_warns
@pytest.mark.parametrize("options", [{}, {"num_workers": 1, "start_method": "fork"}])
def test_lightning_trains_whole_epochs_and_validates_from_the_beginning(
    data: EpisodeDataset, epochs: list[Places], tmp_path: Path, options: dict[str, object]
):
    trained, validated = train(data, tmp_path, loader=new_loader(data, **options), enable_checkpointing=False)
    assert trained == list(chain.from_iterable(epochs))
    stored = [list(range(first, first + 10)) for first in range(0, 80, 10)]
    assert validated == stored[:2] + 3 * stored, "the sanity check, then three times all of it"


@lightning_warns
def test_lightning_takes_parts_of_epochs_and_each_time_the_first(
    data: EpisodeDataset, epochs: list[Places], tmp_path: Path
):
    trained, validated = train(
        data,
        tmp_path,
        loader=new_loader(data),
        limit_train_batches=3,
        limit_val_batches=2,
        enable_checkpointing=False,
    )
    assert trained == [batch for epoch in epochs for batch in epoch[:3]], "of every epoch its own beginning"
    assert validated == 4 * [list(range(10)), list(range(10, 20))]


@lightning_warns
@pytest.mark.parametrize("limit", [1.0, 3])
def test_lightning_resumes_with_the_very_next_batch(data: EpisodeDataset, tmp_path: Path, limit: float):
    callbacks = pytest.importorskip("lightning.pytorch.callbacks", reason="Lightning is not installed: make trainers")
    keeping = callbacks.ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=1, save_top_k=-1)
    options = {"limit_train_batches": limit, "limit_val_batches": 1}
    whole, _ = train(data, tmp_path, loader=new_loader(data), callbacks=[keeping], **options)
    assert len(whole) == 24 if limit == 1.0 else 9
    for num_done in (2, 5, 8):
        loader = new_loader(data, prefetch=num_done)
        resume = tmp_path / f"step={num_done}.ckpt"
        rest, _ = train(data, tmp_path, loader=loader, resume=resume, enable_checkpointing=False, **options)
        assert rest == whole[num_done:], num_done


def test_accelerate_saves_and_loads_a_loader_that_it_leaves_as_it_is(
    data: EpisodeDataset, epochs: list[Places], tmp_path: Path
):
    accelerate = pytest.importorskip("accelerate", reason="Accelerate is not installed: make trainers")
    accelerator = accelerate.Accelerator(cpu=True)
    loader = accelerator.prepare(new_loader(data))
    accelerator.register_for_checkpointing(loader)
    assert places(islice(loader, 3)) == epochs[0][:3]
    assert places(islice(loader, 5)) == epochs[0][:5], "left early, it begins again"
    accelerator.save_state(str(tmp_path / "state"))
    assert places(iter(loader)) == epochs[0]
    accelerator.load_state(str(tmp_path / "state"))
    assert places(iter(loader)) == epochs[0][5:]
    assert places(iter(loader)) == epochs[1]
