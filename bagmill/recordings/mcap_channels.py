"""One pass's knowledge of which MCAP channel id means which channel, and how many messages each has had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bagmill.limits import limits
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.mcap_records import ChannelRecord, SchemaRecord, parse_channel, parse_schema
from bagmill.recordings.mcap_summary import Summary

UNKNOWN = -1


class PassChannels:
    """Schemas and channels in the order in which a pass meets them.

    Args:
        table: The recording's channels, shared by all passes.
        faults: Where contradictions go.
        summary: Asked for a channel only where no record of it came before its messages.
    """

    def __init__(self, table: ChannelTable, *, faults: FaultLog, summary: Summary) -> None:
        self._table = table
        self._faults = faults
        self._summary = summary
        self._schemas: dict[int, SchemaRecord] = {}
        self._records: dict[int, ChannelRecord] = {}
        self.num_lost: Counter[int] = Counter()
        """Messages of channels that nothing describes, by MCAP channel id."""
        self._schema_bytes = 0
        """Of all of `_schemas`; channels that are known hold theirs besides."""
        self.ids: dict[int, int] = {}
        """MCAP channel id → position in the table, or `UNKNOWN`."""
        self.counts: list[int] = [0] * len(table)
        """Messages seen, by position in the table."""

    def add_schema(self, data: memoryview, *, where: str) -> None:
        """Take in a schema record."""
        try:
            schema = parse_schema(data)
        except DamagedRecordError as err:
            self._faults.add("record_damaged", f"The schema record {where} is damaged: {err}.")
            return
        previous = self._schemas.get(schema.id)
        if previous == schema:  # many writers repeat it in every chunk
            return
        self._schemas[schema.id] = schema
        self._schema_bytes += len(schema.data) - (0 if previous is None else len(previous.data))
        limits().check("description_bytes", self._schema_bytes, what="the size of all schemas together")
        if previous is not None:
            self._faults.add(
                "schema_redefined",
                f"Schema id {schema.id} is {previous.name} first and {schema.name} with other content {where}.",
                severity="warning",
            )

    def add_channel(self, data: memoryview, *, where: str) -> None:
        """Take in a channel record."""
        try:
            record = parse_channel(data)
        except DamagedRecordError as err:
            self._faults.add("record_damaged", f"The channel record {where} is damaged: {err}.")
            return
        previous = self._records.get(record.id)
        if previous == record:  # many writers repeat it in every chunk
            return
        if previous is not None:
            self._faults.add(
                "channel_redefined",
                f"Channel id {record.id} is {previous.topic} first and differs {where} ({record.topic}).",
                severity="warning",
            )
        self._records[record.id] = record
        self.ids[record.id] = self._fold(record)

    def adopt(self, mcap_id: int) -> int:
        """Position of a channel whose messages come without a record of it: from the summary, or `UNKNOWN`."""
        record = self._summary.channels.get(mcap_id)
        if record is None:
            self.ids[mcap_id] = UNKNOWN
            return UNKNOWN
        self._faults.add(
            "channel_from_summary",
            f"The data holds no record of channel id {mcap_id} before its messages; "
            f"the summary's is taken, {record.topic}.",
            severity="warning",
        )
        self._records[mcap_id] = record
        self.ids[mcap_id] = self._fold(record)
        return self.ids[mcap_id]

    def lose(self, mcap_id: int) -> None:
        """Count a message that belongs to no known channel."""
        self.num_lost[mcap_id] += 1

    def topic(self, position: int) -> str:
        """Name of the channel at a position in the table."""
        return self._table[position].topic

    def topic_of(self, mcap_id: int) -> str:
        """Name of a channel by its MCAP id, in words where nothing describes it."""
        record = self._records.get(mcap_id) or self._summary.channels.get(mcap_id)
        return f"channel id {mcap_id}" if record is None else record.topic

    def finish(self, summary: Summary) -> dict[int, int] | None:
        """Tell what was lost, and add the channels that only the summary knows: writers leave empty ones out of it.

        Returns:
            Messages by position in the table as the summary counts them, those of nobody under `UNKNOWN`; None where
            it does not.
        """
        for mcap_id, num_lost in self.num_lost.items():
            self._faults.add(
                "unknown_channel",
                f"{num_lost} messages are on channel id {mcap_id}, which no record describes; they are left out.",
            )
        for mcap_id, record in summary.channels.items():
            known = self._records.setdefault(mcap_id, record)
            if known != record:
                self._faults.add(
                    "summary_contradicts_data",
                    f"Channel id {mcap_id} is {known.topic} in the data and differs in the summary ({record.topic}).",
                    severity="warning",
                )
            elif self.ids.get(mcap_id, UNKNOWN) == UNKNOWN:
                self.ids[mcap_id] = self._fold(record, summary.schemas)
        if summary.statistics is None or not summary.statistics.channel_message_counts:
            return None
        counts: Counter[int] = Counter({self.ids[mcap_id]: 0 for mcap_id in summary.channels})
        for mcap_id, count in summary.statistics.channel_message_counts.items():
            counts[self.ids.get(mcap_id, UNKNOWN)] += count
        return dict(counts)

    def _fold(self, record: ChannelRecord, late_schemas: Mapping[int, SchemaRecord] | None = None) -> int:
        schema = (
            self._schemas.get(record.schema_id)
            or self._summary.schemas.get(record.schema_id)
            or (late_schemas or {}).get(record.schema_id)
        )
        if schema is None and record.schema_id != 0:
            self._faults.add(
                "unknown_schema",
                f"Channel {record.topic} names schema id {record.schema_id}, which no record describes.",
            )
        position = self._table.fold(
            record.topic,
            schema_name=schema.name if schema else "",
            schema_encoding=schema.encoding if schema else "",
            schema_data=schema.data if schema else b"",
            message_encoding=record.message_encoding,
            metadata=record.metadata,
        )
        self.counts.extend([0] * (len(self._table) - len(self.counts)))
        return position
