"""Episodes → HDF5 files in ALOHA's layout, one an episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bagmill.cores import usable_cores
from bagmill.errors import ExportError
from bagmill.exports.aloha import layout
from bagmill.exports.aloha.file import EpisodeFile, compare_file, import_h5py, write_file
from bagmill.exports.held import InvalidTicks, held_ticks
from bagmill.exports.log import ExportLog, Progress
from bagmill.exports.report import ExportReport
from bagmill.exports.source import ExportSource
from bagmill.exports.tally import FeatureTally
from bagmill.exports.target_folder import staged_folder
from bagmill.exports.targets import Target, resolve_targets

_FORMAT = "ALOHA HDF5"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlohaSettings:
    """How files of ALOHA's layout are written."""

    is_compressed: bool = False
    """JPEGs, not pixels: those that an episode has are copied byte by byte."""
    quality: int = 95
    """Of JPEGs of pictures that are not stored as JPEG, 1 to 100."""
    invalid: InvalidTicks = "hold"


def export_aloha(
    source: ExportSource,
    path: Path,
    *,
    names: Mapping[str, str] | None = None,
    settings: AlohaSettings | None = None,
    num_threads: int | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write episodes as `episode_0.hdf5`, `episode_1.hdf5`, …. The folder is there whole at the end, or not at all.

    Args:
        source: Which episodes and features.
        path: The folder; not there yet, or empty.
        names: Feature → its name in the files (`qpos`, `action`, `images/cam_high`), where another is wanted than by
            `layout.default_name`. Signals with the same one are written behind each other.
        settings: How they are written; None: with pixels, the last valid value held.
        num_threads: Threads that decode; None: one a core this process may use.
        progress: Whom to tell how far it is.

    Returns:
        What was written and what was lost, as it is in `bagmill_export.json` in the folder.

    Raises:
        ExportError: h5py is not installed, `qpos` or `action` has no feature, no episode can be written, or there is
            something already.
        StorageError: An episode is damaged, or the disk does not take it.
    """
    import_h5py()
    settings = settings or AlohaSettings()
    own = {feature: layout.full_name(name) for feature, name in (names or {}).items()}
    targets, _ = resolve_targets(source.features, default=layout.default_name, own=own)
    _check_targets(targets)
    wanted = EpisodeFile(
        targets=targets,
        is_compressed=settings.is_compressed,
        quality=settings.quality,
        num_threads=num_threads or usable_cores(),
    )
    tallies = {
        feature.name: FeatureTally(feature, target.name, str(feature.dtype))
        for target in targets
        for feature in target.features
    }
    signal_names = {name for name, tally in tallies.items() if tally.feature.kind == "signal"}
    log = ExportLog(source, tallies, homeless={}, invalid=settings.invalid, progress=progress)
    with staged_folder(path) as folder:
        for each, episode in log.episodes():
            file = folder / layout.FILE.format(index=len(log.written))
            attributes = {
                "task": each.task,
                "robot": each.robot,
                "rate_hz": float(source.rate_hz),
                "bagmill_episode": each.name,
                "bagmill_version": each.version,
            }
            signals = {name: source.signal(name, each, episode) for name in tallies if name in signal_names}
            for name, values in signals.items():
                written = values[held_ticks(episode.valid(name))]
                tallies[name].count_change(written, written)
            write_file(file, episode, wanted, signals=signals, attributes=attributes, progress=log.advance)
            compare_file(file, episode, wanted, name=each.name, tallies=tallies)
        has_velocities = any(target.name == layout.QVEL for target in targets)
        no_velocities = f"No feature is written as {layout.QVEL}: it is there, and holds nothing but nan."
        return log.report(
            folder,
            path,
            layout=_FORMAT,
            settings=asdict(settings),
            has_facts=True,
            more_losses=() if has_velocities else (no_velocities,),
        )


def _check_targets(targets: list[Target]) -> None:
    for target in targets:
        for feature in target.features:
            layout.check_name(target.name, feature)
    found = {target.name for target in targets}
    names = [feature.name for target in targets for feature in target.features]
    for needed, rooms in ((layout.QPOS, ("state/",)), (layout.ACTION, ("action/", "actions/"))):
        if needed not in found:
            last = needed.rpartition("/")[2]
            # The order of several arms in one array is the user's to say.
            several = " ".join(f"--map {name}={last}" for name in names if name.startswith(rooms))
            raise ExportError(
                f"no feature is written as {needed}, which ALOHA's layout has always",
                remedy=f"Say which of them it is, in this order: {several}"
                if several
                else f"Say which one it is: --map FEATURE={last}",
            )
