"""What is true of a build, read from its trees. Read-only."""
