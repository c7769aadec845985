"""constraints/table.json and what it is made of: the services' own models, their documents, and where both leave a gap.

In: the service models of botocore and the provider schemas of cfn-lint, as files. Out: the table (`generate`).
Never: imported by what runs.
"""
