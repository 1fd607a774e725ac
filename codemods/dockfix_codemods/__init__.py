"""The built-in codemods: one file each, file name = rule name."""
