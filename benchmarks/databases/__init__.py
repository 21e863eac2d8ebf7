"""Benchmark: what Dagster's database costs, SQLite against PostgreSQL: an episode's events, many writers, size, questions."""
