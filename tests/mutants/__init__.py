"""A mutation tester: small faults are put into the product, one at a time, and a test has to notice.

In: rooms, a seed, a number of faults a room. Out: a table of how many were noticed, and each that was not.
Never: changes a file of the checkout; a fault lives in the memory of one forked process.
"""
