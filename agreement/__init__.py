"""Is what AWS would do now what was approved?"""
