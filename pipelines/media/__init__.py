"""The media server: a page an episode version, which plays its film and shows its pictures.

Belongs here: routes, pages, what a browser is told about caching. Stays out: drawing (`bagmill.previews`), where files lie
(`bagmill.dataset`), how links to it are made (`resources.media_urls`). It reads and never writes, and needs no Dagster.
"""
