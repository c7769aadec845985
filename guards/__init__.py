"""What keeps the words, files and settings of others from doing harm.

Text that is safe to print, JSON with bounds, masks, private files, the environment of children. Knows no other room; every room may use it.
"""
