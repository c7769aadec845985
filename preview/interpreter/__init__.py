"""From emitted CloudFormation to the site that it would make: templates resolved, then read into `preview/model.py`."""
