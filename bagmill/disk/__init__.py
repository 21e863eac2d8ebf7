"""What a disk keeps: names that are on it for good, files that are whole or absent, folders exchanged at once, checksums.

Belongs here: the few system calls by which something is published so that neither a kill nor a power cut takes it back, and
what tells later that bytes are still those that were written. Stays out: what the files hold and where they lie (`dataset`,
`episodes`), and stores elsewhere (`stores`).

What names a thing is on the disk only after the thing is: bytes first, then their name in the folder, then whatever points
at that name.
"""

from bagmill.disk.checksum import bytes_checksum, file_checksum
from bagmill.disk.exchanged_names import exchange
from bagmill.disk.folder_lock import holding, is_held, locked_folder
from bagmill.disk.folders import make_folders, sync_file, sync_folder
from bagmill.disk.listing import files_below, folders_from, is_absent
from bagmill.disk.partial import partial_file, sweep_partial, sweep_partials
from bagmill.disk.told import disk_error, tells_of_disk

__all__ = [
    "bytes_checksum",
    "disk_error",
    "exchange",
    "file_checksum",
    "files_below",
    "folders_from",
    "holding",
    "is_absent",
    "is_held",
    "locked_folder",
    "make_folders",
    "partial_file",
    "sweep_partial",
    "sweep_partials",
    "sync_file",
    "sync_folder",
    "tells_of_disk",
]
