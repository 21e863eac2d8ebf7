"""How pictures are stored: an episode's JPEG against PNG files and against video, by size, time and likeness."""
