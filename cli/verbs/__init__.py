"""Verbs of deploy.py: one module each; see cli/main.py."""
