"""An environment as an architecture picture, from its assembly alone.

In: an assembly and its templates. Out: a `Picture` of accounts, regions, stacks, resources and what leads to what; Mermaid, DOT or SVG.
Never: asks AWS, reads or writes a file, draws an arrow that no template says.
"""
