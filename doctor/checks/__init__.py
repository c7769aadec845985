"""The doctor's checks, a file each: every `Check` and `StackCheck` of a file in this folder is run, and nothing else is to be edited."""
