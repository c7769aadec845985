"""Verbs of deploy.py: one module each; see verbs/README.md."""
