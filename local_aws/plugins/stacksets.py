"""The StackSets API."""


def install() -> None:
    """Add the actions to MiniStack's table."""
