"""The language of conditions over a snapshot's rows: its words, its grammar, and what it gives.

Belongs here: a condition's text → tokens → a tree of frozen nodes → which rows are meant. The tree that was checked is the one
that is walked, over arrays, by functions that are listed here one by one; nothing is ever evaluated as text. Every stage has
bounds, so that a condition costs little whoever wrote it. Stays out: tables and what is asked of them (`dataset.query`).
"""
