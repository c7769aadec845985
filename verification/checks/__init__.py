"""A file a theme; each check is a function that registers itself. A new file here is found by itself."""
