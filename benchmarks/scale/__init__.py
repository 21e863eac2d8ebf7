"""What ingesting costs as recordings grow longer, and as episodes grow in number."""
