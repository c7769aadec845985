"""Taking over what exists: finding it, matching it with the assembly, and the plan that imports it.

In: an assembly, what a Terraform state, derived names or a person say is there, gateways. Out: `Taken` values, and a plan of imports.
Never: changes AWS or a Terraform state, shows a value of a state file beyond identifiers, takes over what may be somebody else's.
"""
