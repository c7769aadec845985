"""A local AWS: MiniStack as a child process, with the resource types and the StackSets API that it lacks.

README.md beside this file lists what is imitated, and what is not.
"""
