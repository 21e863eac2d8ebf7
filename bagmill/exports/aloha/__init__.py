"""HDF5 files in ALOHA's layout, one an episode.

Belongs here: everything that knows how such a file lies, and h5py, which is imported when it is needed.
"""

from bagmill.exports.aloha.export import AlohaSettings, export_aloha

__all__ = ["AlohaSettings", "export_aloha"]
