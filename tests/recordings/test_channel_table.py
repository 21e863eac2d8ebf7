"""Publishers of one topic: one channel where their definitions mean the same."""

from __future__ import annotations

from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.differing import say_what_differs

ROOT = "std_msgs/Header header\nfloat64 x\n"
FULL = ROOT + "=" * 80 + "\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"


def fold(table: ChannelTable, text: str, *, topic: str = "/a", name: str = "demo/msg/A", **changes: object) -> int:
    given = {"schema_encoding": "ros2msg" if text else "", "message_encoding": "cdr", "metadata": {}} | changes
    return table.fold(topic, schema_name=name, schema_data=text.encode(), **given)


def test_the_fullest_definition_is_kept_in_whatever_order_they_come() -> None:
    for texts in (("", ROOT, FULL), (FULL, ROOT, ""), (ROOT, "", "# said\n" + FULL)):
        table = ChannelTable()
        assert [fold(table, text) for text in texts] == [0, 0, 0]
        (channel,) = table.channels
        assert "string frame_id" in channel.schema_data.decode()
        assert channel.schema_encoding == "ros2msg"
        assert [fold(table, text) for text in texts] == [0, 0, 0]


def test_another_topic_type_or_field_is_another_channel() -> None:
    table = ChannelTable()
    assert fold(table, FULL) == 0
    assert fold(table, FULL, topic="/b") == 1
    assert fold(table, FULL, name="demo/msg/B") == 2
    assert fold(table, FULL, message_encoding="json", schema_encoding="") == 3
    assert fold(table, FULL.replace("float64 x", "float32 x")) == 4
    assert fold(table, FULL, name="demo/A") == 0
    assert say_what_differs([table[0], table[4]]) == (
        "/a was recorded with 2 different schemas: `x` is float64 in one and float32 in another "
        "(each needs a topic of its own)"
    )
    assert "demo/msg/A and demo/msg/B" in say_what_differs([table[0], table[2]])


def test_a_gap_is_not_filled_against_the_checksum() -> None:
    table = ChannelTable()
    assert fold(table, FULL, metadata={"md5sum": "aa"}) == 0
    assert fold(table, "", metadata={"md5sum": "bb"}) == 1
    assert fold(table, ROOT, metadata={"md5sum": "*"}) == 0
