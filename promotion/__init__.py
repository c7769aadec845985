"""Who takes releases: the site bucket at home, or its replica while the home region is lost. Never both (docs/decisions/0039).

In: an environment with disaster recovery, both regions as far as they answer, a clock. Out: plans of promote and failback as values with a
digest; what was done, step by step.
Never: decides that a region is lost, deletes an object, lets two buckets take releases, takes silence for an answer.
"""
