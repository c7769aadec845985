"""Taking over what exists: the templates that CloudFormation imports resources with, and what stands in the way of it."""
