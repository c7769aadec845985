"""What the services' APIs take, property by property, where the provider schemas that cfn-lint has are silent or more lenient.

In: the service models of botocore and the provider schemas, when a developer runs `make rules`. Out: constraints/table.json, and an
interpreter for it that the lint gate runs over resolved values.
Never: reads a template, imports botocore, knows a stack.
"""
