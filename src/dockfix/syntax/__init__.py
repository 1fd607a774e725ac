"""Text to a lossless tree. Knows nothing of the rest of dockfix."""
