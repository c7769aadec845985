"""Verbs of deploy.py: one module each; see rollout/cli.py."""
