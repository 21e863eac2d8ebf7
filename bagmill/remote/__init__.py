"""Datasets in object stores, read through a folder of this machine that fills as files are asked for.

Belongs here: addresses, the folder and what may lie in it, chunks of shards that are not in it. Stays out: how a store is spoken
to (`stores`), what is needed for a sample (`training`), how a shard is laid out (`episodes`), what a snapshot says (`dataset`).
"""

from bagmill.remote.address import is_address
from bagmill.remote.mirror import SHARD_CACHE_BYTES, Mirror
from bagmill.remote.shards import MirroredShards, ShardChunks
from bagmill.remote.snapshots import fetch_snapshot

__all__ = ["SHARD_CACHE_BYTES", "Mirror", "MirroredShards", "ShardChunks", "fetch_snapshot", "is_address"]
