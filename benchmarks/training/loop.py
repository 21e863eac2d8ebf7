"""A training loop with two clocks: one for waiting for batches, one for everything.

Imported in LeRobot's environment, too: nothing of bagmill here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.standing import Answers
from benchmarks.training.policies import POLICIES, Policy, build

_LEARNING_RATE = 1e-3
_SEED = 0
LEAST_STEPS = 3


@dataclass(frozen=True, slots=True)
class Inputs:
    """A batch as the policies take it."""

    pictures: torch.Tensor | None
    """(B, 3, H, W), uint8 or float32 from 0 to 1."""
    state: torch.Tensor
    """(B, 14)."""
    action: torch.Tensor
    """(B, 16, 14)."""


OpenLoader = Callable[[Policy, int], Iterable[Any]]
"""Policy and workers → batches, in the order that everybody has."""


def training_answers(open_loader: OpenLoader, to_inputs: Callable[[Any], Inputs], *, num_threads: int) -> Answers:
    """The answers of a contender: a policy is trained anew at every question.

    Args:
        open_loader: Opens everything anew, as a run that starts does.
        to_inputs: From what the loader gives.
        num_threads: That torch computes with.
    """
    torch.set_num_threads(num_threads)

    def answer(policy: str, num_workers: int, seconds: float) -> Mapping[str, Any]:
        asked = next(each for each in POLICIES if each.name == policy)
        return _train(asked, lambda: open_loader(asked, num_workers), to_inputs, seconds=seconds)

    return answer


def _train(
    policy: Policy, open_loader: Callable[[], Iterable[Any]], to_inputs: Callable[[Any], Inputs], *, seconds: float
) -> dict[str, Any]:
    torch.manual_seed(_SEED)
    model = build(policy.name)
    optimizer = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE)
    started = time.perf_counter()
    batches = iter(open_loader())
    batch = next(batches)
    start_s = time.perf_counter() - started
    # The first step allocates what the others use again.
    losses = [_step(model, optimizer, to_inputs(batch))]
    waited, began = 0.0, time.perf_counter()
    total = 0.0
    for _ in range(policy.num_steps):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        losses.append(_step(model, optimizer, to_inputs(batch)))
        total = time.perf_counter() - began
        if total > seconds and len(losses) > LEAST_STEPS:
            break
    close = getattr(batches, "close", None)
    if close is not None:
        close()
    return {"num_steps": len(losses) - 1, "total_s": total, "wait_s": waited, "start_s": start_s, "losses": losses}


def _step(model: torch.nn.Module, optimizer: torch.optim.Optimizer, inputs: Inputs) -> float:
    pictures = inputs.pictures
    if pictures is not None:
        # One layout for all: which kernels a layout gets decides on the last digits of a loss.
        pictures = pictures.to(torch.float32, memory_format=torch.contiguous_format)
        pictures = pictures / 255 if inputs.pictures is not None and inputs.pictures.dtype == torch.uint8 else pictures
    loss = torch.nn.functional.mse_loss(model(pictures, inputs.state), inputs.action)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float(loss.item())
