"""Workflows of GitHub Actions run without GitHub: the jobs' own steps, as they stand in the YAML.

In: workflow files, an event, a `World` (checkout, artifacts, identity tokens, AWS). Out: what became of every job.
Never: imitates more of GitHub than the workflows of this repository use; what it does not know it refuses.
"""
