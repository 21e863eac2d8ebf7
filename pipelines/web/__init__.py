"""The entry in front of Dagster's web server: whoever sends a request has to be meant to.

Dagster's own server answers to any name, asks nobody who they are, and takes changes from any page that a visitor's browser has
open. Belongs here: the names that a server answers to, which requests it takes (`guard`, for the media server too), what of
Dagster's takes changes (`doors`), how such a server listens and ends (`serving`). Stays out: pages (`pipelines.media`), and who
is who.
"""
