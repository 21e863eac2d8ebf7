"""What assets are given: where recordings, episodes and profiles are, and who does the work.

Belongs here: what differs between one deployment and the next. Stays out: what is made of a recording (`bagmill`), and
what Dagster is told about it (`assets`).

Names are imported from their modules: worker processes import this package, and must not import Dagster with it, which
would cost each of them two seconds.
"""
