"""One episode through all its stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace

from bagmill.alignment import Timeline
from bagmill.dataset import (
    Dataset,
    QuarantineEntry,
    StageReport,
    make_current,
    next_order,
    no_prune,
    put_quarantine,
    read_quarantine,
    release,
    save_report,
    sweep_episode,
    write_whole,
)
from bagmill.disk import bytes_checksum, disk_error, holding, make_folders, sync_folder
from bagmill.episodes import Episode, episode_version
from bagmill.errors import BagmillError, LimitError, RecordingError, StorageError
from bagmill.ingest.duplicate import find_original
from bagmill.ingest.episode import describe_episode, feature_reports, judge_episode, make_episode
from bagmill.ingest.fingerprint import Fingerprint, check_unchanged, fingerprint, forget_other_scans, remember_hash
from bagmill.ingest.memory import (
    attempt_name,
    forget_finished,
    recall_finished,
    recall_index,
    recall_report,
    remember_finished,
    scan_settings,
    under_limits,
)
from bagmill.ingest.pictures import checksums, draw_rates, write_pictures
from bagmill.ingest.preview import make_preview
from bagmill.ingest.recording import describe_recording, judge_recording
from bagmill.ingest.refusal import refusal_entry
from bagmill.ingest.request import IngestOutcome, IngestRequest, Progress, blank_report, wanted_stages
from bagmill.ingest.timeline import describe_timeline, judge_timeline, make_timeline
from bagmill.plan import IngestPlan, resolve, stamps_wanted
from bagmill.previews import skew_plot
from bagmill.quality import CheckResult, Stage, resolve_checks
from bagmill.recordings import Recording, open_recording
from bagmill.streams import RecordingIndex, restamped, save_index, scan


def ingest(request: IngestRequest, *, progress: Progress | None = None) -> IngestOutcome:
    """Make one episode, or say why not.

    Nothing is raised for what is wrong with a recording or a profile: it is a refusal, in the outcome and in the dataset's
    quarantine. A refused episode leaves the reports of the stages that it passed.

    Args:
        request: What is asked for.
        progress: Called while a stage runs.
    """
    started = time.perf_counter()
    line = _Line(_forced_if_released(request), progress)
    refusal: BagmillError | None = None
    try:
        resolve_checks(request.profile)
        line.run()
    except BagmillError as err:
        refusal = err
    except OSError as err:
        refusal = disk_error(err)
    entry = line.close(refusal)
    return IngestOutcome(
        episode=request.episode,
        report=line.report,
        refusal=entry,
        is_reused=line.is_reused,
        num_seconds=time.perf_counter() - started,
    )


def _forced_if_released(request: IngestRequest) -> IngestRequest:
    """The request, forced where a failed check was released from quarantine: its verdict would be taken as it stands."""
    try:
        entry = read_quarantine(Dataset(request.dataset), request.episode)
    except BagmillError:
        return request  # it is damaged, and about to be replaced
    is_released = entry is not None and entry.released_ns is not None and bool(entry.failed_checks)
    return replace(request, is_forced=True) if is_released else request


@dataclass(slots=True)
class _Said:
    """What a running stage has to say."""

    metadata: Mapping[str, object] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = ()


class _Opened(ExitStack):
    """The recording, opened when it is first asked for, once for all stages.

    What the scan has checked need not be checked again then, and both read the same file whatever becomes of its name.
    """

    _recording: Recording | None = None

    def recording(self, request: IngestRequest) -> Recording:
        """The recording, open until the stack is closed."""
        if self._recording is None:
            self._recording = self.enter_context(open_recording(request.recording, salvage=request.profile.salvage))
        return self._recording


class _Line:
    """The stages of one request, and the report as it grows."""

    def __init__(self, request: IngestRequest, progress: Progress | None) -> None:
        self.request = request
        self.dataset = Dataset(request.dataset)
        self._current: Stage = "recording"
        self.report = blank_report(request, requested_ns=time.time_ns())
        self.is_reused = False
        """Everything asked for stood already."""
        self._attempted = ""
        self._is_scanned = False
        self._progress = progress
        self._opened = _Opened()
        self._held = ExitStack()

    def run(self) -> None:
        """Take what stands, or every stage wanted, until one is blocked.

        Raises:
            BagmillError: What is wrong with the recording, or between it and the profile.
        """
        sweep_episode(self.dataset, self.request.episode)
        taken = fingerprint(self.request.recording)
        self._attempted = attempt_name(self.request, taken)
        if not self._recall():
            self.report = replace(self.report, order=next_order(self.dataset, self.request.episode))
            forget_finished(self.request)
            with self._opened:
                self._run(taken)

    def _recall(self) -> bool:
        """Take everything that is asked for as it stands; False where it does not."""
        with no_prune(self.dataset):
            return self._recall_published()

    def _recall_published(self) -> bool:
        finished = None if self.request.is_forced else recall_finished(self.request)
        if finished is None:
            return False
        here = replace(finished, recording_path=self.report.recording_path)
        current = make_current(self.dataset, here, requested_ns=self.report.requested_ns)
        if current == here != finished:
            with suppress(
                StorageError
            ):  # that its recording lies elsewhere now is worth no refusal on a read-only disk
                save_report(self.dataset, here)
        self.report = current
        self.is_reused = True
        return True

    def _run(self, taken: Fingerprint) -> None:
        stages = wanted_stages(self.request)
        index = self._run_recording(taken)
        # Only once it is scanned is it known for the same bytes under another name or date.
        if self._is_scanned and self._recall():
            return
        if self.report.is_blocked or self.report.duplicate_of is not None or "timeline" not in stages:
            return
        plan, timeline = self._run_timeline(index)
        if self.report.is_blocked or "episode" not in stages:
            return
        episode = self._run_episode(plan, timeline, taken=taken)
        if self.report.is_blocked or "preview" not in stages:
            return
        self._run_preview(episode)

    def close(self, refusal: BagmillError | None) -> QuarantineEntry | None:
        """Keep the report, and put the episode into quarantine or release it."""
        with self._held:
            return self._close(refusal)

    def _close(self, refusal: BagmillError | None) -> QuarantineEntry | None:
        try:
            if self.report.version is not None and self.report.stages and not self.is_reused:
                self._save_report()
            entry = self._refusal(refusal)
            if entry is None:
                release(self.dataset, self.request.episode)
                with suppress(StorageError):  # a note that spares the next run some work
                    remember_finished(self.request, self.report)
                return None
            return put_quarantine(self.dataset, entry)
        except (BagmillError, OSError) as err:
            # The dataset cannot even be written to: the caller is told at least.
            return self._refusal(refusal or (disk_error(err) if isinstance(err, OSError) else err))

    def _save_report(self) -> None:
        """Save the report, once the names of all that it speaks for are on the disk."""
        pictures = self.dataset.preview_path(self.request.episode, self._version).parent
        try:
            if pictures.is_dir():
                sync_folder(pictures)
        except OSError as err:
            raise StorageError(f"cannot be synced ({err.strerror})", path=pictures, remedy="Check the disk") from err
        save_report(self.dataset, self.report)

    def _refusal(self, error: BagmillError | None) -> QuarantineEntry | None:
        # With other limits it is worth another attempt.
        attempted = under_limits(self._attempted) if isinstance(error, LimitError) else self._attempted
        return refusal_entry(self.report, error, stage=self._current, attempted=attempted)

    def _run_recording(self, taken: Fingerprint) -> RecordingIndex:
        with self._stage("recording") as said:
            index = recall_index(self.request) or self._scan(taken)
            self.report = replace(
                self.report,
                version=episode_version(index.content_hash, self.request.profile),
                recording_hash=index.content_hash,
                container=index.container,
                raw_bytes=index.size_bytes,
                is_salvaged=index.is_salvaged,
                num_messages_lost=index.losses.num_messages,
                lost_s=index.losses.seconds,
                losses=index.losses.entries,
            )
            original = find_original(self.request, content_hash=index.content_hash, taken=taken)
            if original is not None:
                self.report = replace(self.report, duplicate_of=original)
                said.metadata = {"duplicate_of": original, **describe_recording(index)}
            else:
                index = self._restamped(index)
                said.metadata = describe_recording(index)
                said.checks = judge_recording(index, self.request.profile)
                # Drawn for a recording that is refused, too: there it is needed most.
                self._keep_picture("rates.png", draw_rates(index, self.request.profile))
        return index

    def _restamped(self, index: RecordingIndex) -> RecordingIndex:
        """The index by the stamps that the profile finds inside the messages, which are read for it once more."""
        wanted = stamps_wanted(self.request.profile, index)
        if not wanted:
            return index
        recording = self._opened.recording(self.request)
        return restamped(index, recording, wanted, num_threads=self.request.num_threads_here)

    def _scan(self, taken: Fingerprint) -> RecordingIndex:
        recording, episode = self.request.recording, self.request.episode
        index = scan(
            self._opened.recording(self.request),
            definitions=self.request.profile.definitions,
            num_threads=self.request.num_threads_here,
            progress=self._reporter("recording"),
        )
        check_unchanged(recording, taken)
        if index.num_messages_from_scan == 0:
            raise _no_messages(index)
        memory, settings = self.dataset.fingerprint_path(episode), scan_settings(self.request.profile)
        # Killed in between, the note must not speak for an index of another reading.
        forget_other_scans(memory, definitions=settings)
        save_index(index, self.dataset.scan_path(episode))
        remember_hash(memory, taken, content_hash=index.content_hash, definitions=settings)
        self._is_scanned = True
        return index

    def _run_timeline(self, index: RecordingIndex) -> tuple[IngestPlan, Timeline]:
        with self._stage("timeline") as said:
            plan = resolve(self.request.profile, index)
            timeline = make_timeline(plan)
            self.report = replace(
                self.report,
                num_ticks=timeline.num_ticks,
                start_ns=int(timeline.time_ns[0]),
                duration_ns=timeline.duration_ns,
                features=feature_reports(plan),
            )
            said.metadata = describe_timeline(plan, timeline)
            said.checks = judge_timeline(plan, timeline)
            # As the rates: where it is refused, most of all.
            self._keep_picture("skew.png", skew_plot(timeline))
        return plan, timeline

    def _run_episode(self, plan: IngestPlan, timeline: Timeline, *, taken: Fingerprint) -> Episode:
        with self._stage("episode") as said:
            version = self._version
            with no_prune(self.dataset):
                self._hold()
            earlier = recall_report(self.request, version)
            done = earlier.stage("episode") if earlier else None
            if earlier is not None and done is not None and version in self.dataset.published(self.request.episode):
                said.metadata, said.checks = done.metadata, done.checks
                self.report = replace(
                    self.report,
                    num_frames=earlier.num_frames,
                    stored_bytes=earlier.stored_bytes,
                    pictures={**earlier.pictures, **self.report.pictures},
                )
                return Episode.open(self.dataset.episode_path(self.request.episode, version))
            made = make_episode(
                plan,
                timeline,
                request=self.request,
                version=version,
                recording=self._opened.recording(self.request),
                taken=taken,
                progress=self._message_reporter(plan),
            )
            self.report = replace(self.report, num_frames=made.num_frames, stored_bytes=made.stored_bytes)
            write_pictures(self.dataset, made.episode, name=self.request.episode, version=version)
            self._note_pictures("jpg", "small.avif", "depth.jpg")
            said.metadata = describe_episode(plan, made)
            said.checks = judge_episode(plan, made)
        return made.episode

    def _hold(self) -> None:
        """Hold the episode's folder until the report is there: without it, what is published looks like left-overs."""
        arrays = self.dataset.episode_path(self.request.episode, self._version).parent
        try:
            make_folders(arrays)
            self._held.enter_context(holding(arrays))
        except OSError as err:
            raise StorageError(
                f"cannot be written ({err.strerror})", path=arrays, remedy="Check the disk's space and rights"
            ) from err

    def _run_preview(self, episode: Episode) -> None:
        with self._stage("preview") as said:
            said.metadata, said.checks = make_preview(
                episode,
                self.request.profile,
                path=self.dataset.preview_path(self.request.episode, self._version),
                progress=self._reporter("preview"),
            )
        self._note_pictures("mp4")

    def _keep_picture(self, kind: str, data: bytes) -> None:
        path = self.dataset.picture_path(self.request.episode, self._version, kind)
        write_whole(path, data, is_synced=False)
        self.report = replace(self.report, pictures={**self.report.pictures, kind: bytes_checksum(data)})

    def _note_pictures(self, *kinds: str) -> None:
        """Take the checksums of files that were just written; those that this episode has not are not there."""
        found = checksums(self.dataset, self.request.episode, self._version, kinds)
        self.report = replace(self.report, pictures={**self.report.pictures, **found})

    @property
    def _version(self) -> str:
        version = self.report.version
        assert version is not None, "known since the recording was scanned"
        return version

    @contextmanager
    def _stage(self, stage: Stage) -> Iterator[_Said]:
        """Time a stage and add what it said to the report, unless it raised."""
        self._current = stage
        if self._progress is not None:
            self._progress(stage, 0, 0)  # what is found to go on here belongs to this stage from its first moment
        started = time.perf_counter()
        said = _Said()
        yield said
        num_seconds = time.perf_counter() - started
        self.report = self.report.with_stage(StageReport(stage, num_seconds, said.metadata, said.checks))

    def _reporter(self, stage: Stage) -> Callable[[int, int], None] | None:
        progress = self._progress
        return None if progress is None else lambda done, total: progress(stage, done, total)

    def _message_reporter(self, plan: IngestPlan) -> Callable[[int], None] | None:
        progress = self._progress
        channels = {part.channel.id for feature in plan.features for part in feature.parts}
        total = sum(plan.index.streams[channel].num_messages for channel in channels)
        return None if progress is None else lambda done: progress("episode", done, total)


def _no_messages(index: RecordingIndex) -> RecordingError:
    lost = next((fault.message for fault in index.faults if fault.severity == "error"), None)
    if lost is None:
        return RecordingError("holds no messages", path=index.path, remedy="Check the recorder: it wrote nothing")
    return RecordingError(
        f"holds no message that can be read: {lost.removesuffix('.')}",
        path=index.path,
        remedy="Copy it again from the robot; if it is damaged there, nothing of it can be saved",
    )
