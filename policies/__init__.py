"""IAM and resource policies as small awacs functions.

In: names and ARNs (text or CloudFormation intrinsics). Out: `awacs.aws.PolicyDocument` values.
Never: a wildcard action or principal in an Allow (the deploy boundary apart, which grants nothing), a `*` resource that AWS lets us narrow,
a condition on what a service is not documented to send, any clock, file or network.
Where `*` stands as a resource, the comment beside it names the action that forces it.
"""
