"""Snapshots → batches: samples around any tick of any episode, in random order, as fast as frames can be decoded.

Belongs here: windows, sizes, the way from a sample's number to its arrays, orders and mixtures of samples, and what PyTorch
needs of them (`training.torch`, the only module that imports it). Stays out: which episodes there are and how they are
chosen (`dataset`), how a frame lies on disk (`episodes`) and becomes pixels (`codecs`), statistics (`normalisation`).
"""

from bagmill.training.augment import Augmentation, ColourJitter, JpegCompression
from bagmill.training.columns import ArraySpec
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.mixture import Mixture, SourceStatistics
from bagmill.training.scaling import SignalScaling
from bagmill.training.window import Window

__all__ = [
    "ArraySpec",
    "Augmentation",
    "ColourJitter",
    "EpisodeDataset",
    "JpegCompression",
    "Mixture",
    "SignalScaling",
    "SourceStatistics",
    "Window",
]
