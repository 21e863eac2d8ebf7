"""Objects of S3, GCS and HTTP stores → files of this machine, fetched by a process of its own.

Belongs here: what is asked of that process and how it answers, the library that speaks to stores, files that are there whole or
not at all, the bound that some of them stay within. Stays out: what the files are (`remote`, `training`). The process imports
this package and little more: it is there in a fifth of a second.
"""

from bagmill.stores.client import StoreClient
from bagmill.stores.wire import SIZE_BYTES, Answer, Bound, Outcome, Pieces, StoreSettings, Tail, Whole

__all__ = ["SIZE_BYTES", "Answer", "Bound", "Outcome", "Pieces", "StoreClient", "StoreSettings", "Tail", "Whole"]
