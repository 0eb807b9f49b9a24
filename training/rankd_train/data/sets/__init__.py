"""The sets that the package knows, one file each."""
