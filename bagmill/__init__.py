"""bagmill: raw robot recordings in; aligned, quality-checked, randomly readable training data out.

The way of the data is the order of the rooms: `recordings`, `messages`, `streams`, `alignment`, `plan`, `episodes`, `quality`,
`encode`, `previews`, `dataset`, and `ingest`, which composes them. Nothing here knows of Dagster.
"""
