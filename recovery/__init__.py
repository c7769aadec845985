"""Disaster recovery: two origins that have the same releases, and the proof of it.

In: an assembly with a replica, gateways to both regions, clock and sleep. Out: how the two differ, what the replica was given, what a
rehearsal saw, as values.
Never: prints, asks, decides for a person that a region is lost, or leaves an origin closed that it has closed.
"""
