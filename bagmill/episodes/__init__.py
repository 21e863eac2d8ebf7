"""The Zarr episode: its layout, and who writes, reads and checks it.

Belongs here: everything that knows how an episode lies on disk. Stays out: what goes into one (`ingest`), how a single
frame becomes bytes (`codecs`), whether its data are good (`quality`), the dataset around it (`dataset`).
"""

from bagmill.episodes.frame_sink import FrameSink
from bagmill.episodes.layout import FORMAT_VERSION, episode_path, is_episode
from bagmill.episodes.reader import Episode, FeatureInfo
from bagmill.episodes.staging import sweep_staging
from bagmill.episodes.verify import Damage, VerifyReport, verify_episode
from bagmill.episodes.version import episode_version
from bagmill.episodes.writer import EpisodeWriter

__all__ = [
    "FORMAT_VERSION",
    "Damage",
    "Episode",
    "EpisodeWriter",
    "FeatureInfo",
    "FrameSink",
    "VerifyReport",
    "episode_path",
    "episode_version",
    "is_episode",
    "sweep_staging",
    "verify_episode",
]
