"""The commands of `netdef dataset`, one file each.

Knows arguments and how results are printed. Has never heard of how a set is made.
"""
