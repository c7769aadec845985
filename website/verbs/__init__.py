"""Verbs of deploy.py about the site's content and behaviour; each module is one verb."""
