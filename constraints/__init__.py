"""What the services' APIs take, property by property, where the provider schemas that cfn-lint has are silent or more lenient.

In: constraints/table.json, made by `make rules` (docs/service_models). Out: an interpreter for it, which the lint gate runs over resolved
values.
Never: reads a template, imports botocore, knows a stack.
"""
