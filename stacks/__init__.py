"""The stacks of an environment: pure functions from an `Environment` to CloudFormation, and the catalogue that orders them.

In: `environments.model.Environment` and, for code that runs at the edge, the sources below lambda/. Out: templates.
Never: a clock, an environment variable, the network, AWS, or any file but lambda/.
"""
