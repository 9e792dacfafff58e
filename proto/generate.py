"""Write what netdef/schema has from netdef.proto: netdef_pb2.py, its stubs, and meanings.py.

`make proto` runs it. The meanings are the fields' comments, for commands that explain a setting.

With `--check`, writes nothing and fails where the files are not what the proto gives.

Protoc puts a guard into the module that refuses any protobuf runtime older than protoc itself.
The code between is the same from protoc 26 on (compared up to 35), and the tests run it, so the
guard is left out: netdef lives beside whatever protobuf (5.26 or newer) a user already has, and
every protoc gives the same file.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE = Path("netdef/schema/netdef_pb2.py")
STUBS = MODULE.with_suffix(".pyi")
MEANINGS = MODULE.with_name("meanings.py")

_MEANINGS_HEAD = '''\
"""What each field means: the comments of proto/netdef.proto, by message. Made by `make proto`."""

from __future__ import annotations

MEANINGS: dict[str, dict[str, str]] = {
'''

_FIELD = re.compile(r"(?:optional|repeated|required) \S+ (\w+) =")
_WIDTH = 100  # of a line, as ruff has it, which is to find nothing to change

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
    texts[MEANINGS] = "".join(_meanings(proto.read_text("utf-8")))
    return texts


def _meanings(proto: str) -> Iterator[str]:
    """The module of meanings, piece by piece."""
    yield _MEANINGS_HEAD
    message, comment, depth = "", [], 0
    for line in map(str.strip, proto.splitlines()):
        if line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
            continue
        if opened := re.match(r"message (\w+) {", line):
            message = opened[1]
            yield f'    "{message}": {{\n'
        elif depth == 1 and (field := _FIELD.match(line)):
            yield from _entry(field[1], " ".join(comment))
        depth += line.count("{") - line.count("}")
        if depth == 0 and message and "}" in line:
            yield "    },\n"
            message = ""
        comment = []
    yield "}\n"


def _entry(name: str, comment: str) -> Iterator[str]:
    """A field and its meaning, in lines that are not too long."""
    words = [json.dumps(part, ensure_ascii=False) for part in _lines(comment)]
    single = f'        "{name}": {words[0]},\n'
    if len(words) == 1 and len(single) <= _WIDTH + 1:
        yield single
        return
    if len(words) == 1:
        yield f'        "{name}": (\n            {words[0]}\n        ),\n'
        return
    yield f'        "{name}": (\n'
    yield from (f"            {part}\n" for part in words)
    yield "        ),\n"


def _lines(comment: str) -> list[str]:
    """Pieces that give the comment when joined."""
    if len(comment) <= _WIDTH - 14:
        return [comment]
    parts = textwrap.wrap(comment, _WIDTH - 17)
    return [*(part + " " for part in parts[:-1]), parts[-1]]


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
