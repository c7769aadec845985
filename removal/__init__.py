"""Stacks that go: which belong to an environment and are no more wanted, what removing one deletes and leaves, and removing it.

In: assemblies, gateways. Out: `Removal` values, and afterwards a stack less.
Never: removes what nobody approved, data, or a stack that only has a name of ours.
"""
