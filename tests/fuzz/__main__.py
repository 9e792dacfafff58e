"""`python -m tests.fuzz --minutes N`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.fuzz.session import Session


def main() -> int:
    """Fuzz, and say what was found; the exit status is 1 where anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--save", type=Path, default=Path("build/fuzz"), help="failing inputs")
    given = parser.parse_args()
    given.save.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(given.seed, Path(folder), given.save)
        begin = time.monotonic()
        end = begin + given.minutes * 60
        while time.monotonic() < end:
            session.run(min(60.0, end - time.monotonic()))
            minutes = (time.monotonic() - begin) / 60
            memory = session.memory[-1] if session.memory else 0
            print(
                f"{minutes:6.1f} min  {session.executions:8d} executions  "
                f"{len(session.lines):6d} lines  {memory:5d} MiB  "
                f"slowest {session.slowest:.2f} s  {len(session.findings)} findings",
                flush=True,
            )
    for finding in session.findings.values():
        print(f"{finding.target}: {finding.words}\n    at {finding.place}")
    print(f"seed {given.seed}; inputs that fail are in {given.save}")
    return 1 if session.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
