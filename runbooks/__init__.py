"""The runbooks of docs/runbooks with the names, ids and links of one environment.

In: a runbook's text with placeholders, an assembly with its templates, deployed outputs and alarm states. Out: the text to follow.
Never: reads a file or asks AWS; shows a value in a command unquoted.
"""
