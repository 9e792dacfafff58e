"""`python -m netdef` is the command line."""

from netdef.cli import main

main()
