"""The policies: behaviour cloning by a small CNN, by an MLP on the state alone, and by a small ViT.

The CNN and the MLP are so small that a step takes a few milliseconds on a CPU, as that of larger ones does on a GPU: what is
measured is the loader, and a slow step would hide it. The ViT's step is as long as a CPU makes it.

Imported in LeRobot's environment, too: nothing of bagmill here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from benchmarks.loader.cases import LEFT, NUM_JOINTS, Case

HORIZON: Final = 16
_PICTURE: Final = 96
_PATCH: Final = 12
_WIDTH: Final = 128
_NUM_HEADS: Final = 4
_NUM_LAYERS: Final = 3
_MLP_WIDTH: Final = 256


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, and what it is fed."""

    name: str
    has_picture: bool
    batch_size: int
    num_steps: int
    """Measured, at most."""

    @property
    def case(self) -> Case:
        """What a sample is."""
        cameras = (LEFT,) if self.has_picture else ()
        return Case(self.name, cameras=cameras, has_signals=True, horizon=HORIZON, batch_size=self.batch_size)


CNN: Final = Policy("CNN-BC", has_picture=True, batch_size=64, num_steps=60)
MLP: Final = Policy("MLP", has_picture=False, batch_size=256, num_steps=200)
VIT: Final = Policy("ViT", has_picture=True, batch_size=32, num_steps=30)
POLICIES: Final = (CNN, MLP, VIT)


def build(name: str) -> nn.Module:
    """A policy's network; weights follow from torch's seed."""
    return {CNN.name: _Cnn, MLP.name: _Mlp, VIT.name: _Vit}[name]()


class _Head(nn.Module):
    """What was seen and where the joints are → the next actions."""

    def __init__(self, num_seen: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(num_seen + NUM_JOINTS, _MLP_WIDTH),
            nn.ReLU(),
            nn.Linear(_MLP_WIDTH, _MLP_WIDTH),
            nn.ReLU(),
            nn.Linear(_MLP_WIDTH, HORIZON * NUM_JOINTS),
        )

    def forward(self, seen: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        actions: torch.Tensor = self.layers(torch.cat([seen, state], dim=1))
        return actions.view(len(state), HORIZON, NUM_JOINTS)


class _Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = _Head(0)

    def forward(self, _pictures: torch.Tensor | None, state: torch.Tensor) -> torch.Tensor:
        actions: torch.Tensor = self.head(state[:, :0], state)
        return actions


class _Cnn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(3, 16, 8, stride=8),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = _Head(32 * 3 * 3)

    def forward(self, pictures: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        actions: torch.Tensor = self.head(self.seen(pictures), state)
        return actions


class _Vit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, _WIDTH, _PATCH, stride=_PATCH)
        self.places = nn.Parameter(torch.randn(1, (_PICTURE // _PATCH) ** 2, _WIDTH) / _WIDTH**0.5)
        layer = nn.TransformerEncoderLayer(
            _WIDTH, _NUM_HEADS, 4 * _WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, _NUM_LAYERS, enable_nested_tensor=False)
        self.head = _Head(_WIDTH)

    def forward(self, pictures: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(pictures).flatten(2).transpose(1, 2) + self.places
        actions: torch.Tensor = self.head(self.layers(tokens).mean(dim=1), state)
        return actions
