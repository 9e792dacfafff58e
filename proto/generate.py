"""Write netdef/schema/netdef_pb2.py and its stubs from netdef.proto: `make proto`.

With `--check`, writes nothing and fails where the files are not what the proto gives.

Protoc puts a guard into the module that refuses any protobuf runtime older than protoc itself.
The code between is the same from protoc 26 on (compared up to 35), and the tests run it, so the
guard is left out: netdef lives beside whatever protobuf (5.26 or newer) a user already has, and
every protoc gives the same file.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE = Path("netdef/schema/netdef_pb2.py")
STUBS = MODULE.with_suffix(".pyi")

_GUARD = re.compile(
    r"# NO CHECKED-IN PROTOBUF GENCODE\n"
    r"|# Protobuf Python Version: .*\n"
    r"|from google\.protobuf import runtime_version as _runtime_version\n"
    r"|_runtime_version\.ValidateProtobufRuntimeVersion\((?:.|\n)*?\n\)\n"
)


def generate(proto: Path) -> dict[Path, str]:
    """The generated files' texts, by path from the repository's root."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "grpc_tools.protoc",
                # the name the descriptor gets in the pool that all of a program's protos share
                f"-I{MODULE.parent}={proto.parent}",
                f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
                f"--python_out={folder}",
                f"--mypy_out=quiet:{folder}",
                str(proto),
            ],
            check=True,
        )
        texts = {path: (Path(folder) / path).read_text("utf-8") for path in (MODULE, STUBS)}
    texts[MODULE] = _GUARD.sub("", texts[MODULE])
    return texts


def main() -> int:
    """Generate or check; 1 where a check fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args().check
    stale = False
    for path, text in generate(ROOT / "proto/netdef.proto").items():
        target = ROOT / path
        if target.exists() and target.read_text("utf-8") == text:
            continue
        stale = True
        if check:
            print(f"{path} is not what proto/netdef.proto gives: make proto", file=sys.stderr)
        else:
            target.write_text(text, "utf-8")
            print(f"{path} written")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
