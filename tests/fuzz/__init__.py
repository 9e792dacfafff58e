"""Fuzzing of everything that reads a user's file: parse, check, fmt, upgrade, binary readers.

`python -m tests.fuzz --minutes 60` runs it; what it finds goes to `corpus/`, whose files are run
again by `test_fuzz.py`. Inputs that reach new lines are kept for mutation while it runs.
"""
