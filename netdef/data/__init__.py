"""Where batches come from: stores, transforms, readers.

Knows files and arrays. Has never heard of layers or nets.

The way of a batch: a `store` gives records (`lmdb_store`), `datum` makes arrays of them,
`transform` crops and mirrors, `database` gathers them into batches, `prefetch` makes these ahead
of time. `hdf5` gathers rows of files. All randomness comes from `counter_random`, so that a batch
is a function of the seed and of where it starts.
"""
