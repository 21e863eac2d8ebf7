"""Recordings of any container, damaged or not, written as one clean MCAP file.

Here belongs what a recording becomes as MCAP: names, schemas and numbers by that format's conventions, and a file that is there
whole or not at all. What is whole in a damaged recording is for `recordings` to say; episodes are written by `ingest`.
"""

from bagmill.recovery.recover import Recovered, recover

__all__ = ["Recovered", "recover"]
