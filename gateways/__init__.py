"""Gateways by place; see README.md."""
