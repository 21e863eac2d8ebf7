"""Lossless codecs for depth: how small, how fast to write and to read, on depth of several kinds."""
