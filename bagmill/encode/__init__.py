"""The encode pass: a recording's payloads → the shards and signals of an episode.

Belongs here: the one linear pass that reads payloads, the threads that encode them, the audit of what was stored. Stays out:
how a payload is decoded (`messages`), how bytes look in a shard (`episodes`), what a good picture is (`quality`).
"""

from bagmill.encode.attributes import episode_attributes, signal_attributes
from bagmill.encode.episode import EncodeResult, encode_episode
from bagmill.encode.ticks import write_ticks

__all__ = ["EncodeResult", "encode_episode", "episode_attributes", "signal_attributes", "write_ticks"]
