"""Who has approved what: records in the artifact bucket, and how many people they are.

In: a digest (of a plan, or of a release's content), the artifact bucket, IAM. Out: records; the people that count, and what is missing.
Never: believes what a record says of its writer where IAM has not made sure of it; applies or publishes anything.
"""
