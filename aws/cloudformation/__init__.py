"""CloudFormation: its calls as methods, its answers as frozen values. Import from the modules; `gateway` has all of it."""
