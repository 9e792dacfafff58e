"""How fast netdef is beside its peers. `make bench` runs it and writes BENCHMARKS.md."""
