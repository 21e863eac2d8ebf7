"""Metrics: one a file, registered here by one line, in the order in which they are told.

Another distribution adds one through the entry-point group `bagmill.metrics`. What a metric owes is said in
`quality.metric`.
"""

from typing import Final

from bagmill.quality.metric import Metric
from bagmill.quality.metrics.clock_steps import ClockSteps
from bagmill.quality.metrics.clocks_agree import ClocksAgree
from bagmill.quality.metrics.container_intact import ContainerIntact
from bagmill.quality.metrics.depth_exact import DepthExact
from bagmill.quality.metrics.episode_coverage import EpisodeCoverage
from bagmill.quality.metrics.frames_black import FramesBlack
from bagmill.quality.metrics.frames_blown import FramesBlown
from bagmill.quality.metrics.frames_damaged import FramesDamaged
from bagmill.quality.metrics.frames_frozen import FramesFrozen
from bagmill.quality.metrics.frames_stored import FramesStored
from bagmill.quality.metrics.gaps import Gaps
from bagmill.quality.metrics.jpeg_psnr import JpegPsnr
from bagmill.quality.metrics.jpeg_psnr_chroma import JpegPsnrChroma
from bagmill.quality.metrics.jpeg_ssim import JpegSsim
from bagmill.quality.metrics.messages_unused import MessagesUnused
from bagmill.quality.metrics.preview_frames import PreviewFrames
from bagmill.quality.metrics.preview_psnr import PreviewPsnr
from bagmill.quality.metrics.rates import Rates
from bagmill.quality.metrics.recording_kept import RecordingKept
from bagmill.quality.metrics.required_channels import RequiredChannels
from bagmill.quality.metrics.salvaged import Salvaged
from bagmill.quality.metrics.skew import Skew
from bagmill.quality.metrics.stamps_monotonic import StampsMonotonic
from bagmill.quality.metrics.tick_coverage import TickCoverage
from bagmill.quality.metrics.values_finite import ValuesFinite
from bagmill.quality.metrics.within_limits import WithinLimits
from bagmill.registry import Registry

METRICS: Final[Registry[Metric]] = Registry("metric", "bagmill.metrics")
"""Every metric by name, which is also the name of its check."""

METRICS.register(ContainerIntact.name, ContainerIntact())
METRICS.register(Salvaged.name, Salvaged())
METRICS.register(RequiredChannels.name, RequiredChannels())
METRICS.register(StampsMonotonic.name, StampsMonotonic())
METRICS.register(Rates.name, Rates())
METRICS.register(Gaps.name, Gaps())
METRICS.register(ClocksAgree.name, ClocksAgree())
METRICS.register(ClockSteps.name, ClockSteps())
METRICS.register(RecordingKept.name, RecordingKept())
METRICS.register(MessagesUnused.name, MessagesUnused())
METRICS.register(Skew.name, Skew())
METRICS.register(TickCoverage.name, TickCoverage())
METRICS.register(JpegPsnr.name, JpegPsnr())
METRICS.register(JpegPsnrChroma.name, JpegPsnrChroma())
METRICS.register(JpegSsim.name, JpegSsim())
METRICS.register(DepthExact.name, DepthExact())
METRICS.register(FramesBlack.name, FramesBlack())
METRICS.register(FramesBlown.name, FramesBlown())
METRICS.register(FramesFrozen.name, FramesFrozen())
METRICS.register(FramesStored.name, FramesStored())
METRICS.register(FramesDamaged.name, FramesDamaged())
METRICS.register(EpisodeCoverage.name, EpisodeCoverage())
METRICS.register(ValuesFinite.name, ValuesFinite())
METRICS.register(WithinLimits.name, WithinLimits())
METRICS.register(PreviewFrames.name, PreviewFrames())
METRICS.register(PreviewPsnr.name, PreviewPsnr())

__all__ = ["METRICS"]
