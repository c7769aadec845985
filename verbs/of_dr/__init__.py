"""The sub-verbs of `dr`: a file each, found by being there.

Each has `EXAMPLES`, `DATA`, `add_arguments(parser)` for what only it takes, and `run(args, context, opened, origins) -> int`.
"""
