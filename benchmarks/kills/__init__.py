"""Real processes killed with SIGKILL at random moments, with a reader beside them: what was ever seen half made, or lost."""
