"""The deployment: its one file of settings, its jobs and sensors, and the definitions that Dagster loads.

Belongs here: what is wired to what. Stays out: what an asset is (`assets`), what it is given (`resources`).
"""
