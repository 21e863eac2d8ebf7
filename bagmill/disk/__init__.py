"""What a disk keeps: names that are on it for good, files that are whole or absent, folders exchanged at once, checksums.

Belongs here: the few system calls by which something is published so that neither a kill nor a power cut takes it back, and
what tells later that bytes are still those that were written. Stays out: what the files hold and where they lie (`dataset`,
`episodes`), and stores elsewhere (`stores`).

What names a thing is on the disk only after the thing is: bytes first, then their name in the folder, then whatever points
at that name.
"""

from bagmill.disk.checksum import bytes_checksum, file_checksum
from bagmill.disk.exchanged_names import exchange
from bagmill.disk.folders import make_folders, sync_file, sync_folder
from bagmill.disk.partial import partial_file, sweep_partial, sweep_partials

__all__ = [
    "bytes_checksum",
    "exchange",
    "file_checksum",
    "make_folders",
    "partial_file",
    "sweep_partial",
    "sweep_partials",
    "sync_file",
    "sync_folder",
]
