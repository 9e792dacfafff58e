"""Running what the plan laid out: nets, blobs, threads, training, snapshots.

Knows arrays, time and files. Prints nothing; whoever shows a run listens to its events.
"""
