"""Where batches come from: stores, transforms, readers.

Knows files and arrays. Has never heard of layers or nets.

The way of a batch: a `store` gives records (`lmdb_store`, `leveldb_store`), `datum` makes arrays
of them, `transform` crops and mirrors, `database` gathers them into batches, `workers` share the
decoding, `prefetch` makes batches ahead of time. `hdf5` gathers rows of files, `tables` those of
.npz and .csv. All randomness comes from `counter_random`, so that a batch is a function of the
seed and of where it starts; a broken record that `tolerance` lets pass changes that not.

The other way: `recipes` say what a record is made of, `building` makes sets of them, `sinks`
write. `records` goes through sets of every kind, `survey` tells what is in them.
"""
