"""Results as text, diffs and JSON."""
