"""The list of commands, what it costs, and what becomes of mistakes and signals."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest

import netdef as package
from netdef.cli.group import COMMANDS, LazyGroup

NAMES = [name for group in COMMANDS.values() for name in group]


@pytest.mark.parametrize("name", NAMES)
def test_list_says_what_the_command_says(name):
    line = next(group[name] for group in COMMANDS.values() if name in group)
    module = name.replace("-", "_")
    command = getattr(import_module(f"netdef.cli.{module}"), module)
    assert command.get_short_help_str(100) == line
    assert command.help.partition("\n")[0] == line
    assert command.name == name


@pytest.mark.parametrize("name", NAMES)
def test_help(call, name):
    result = call(name, "--help")
    assert result.exit_code == 0
    assert f"netdef {name}" in result.stdout.partition("Options:")[0].partition("\n")[2]


def test_help_lists_groups_in_order(call):
    text = call("--help").stdout
    places = [text.index(f"\n{title}:") for title in COMMANDS]
    assert places == sorted(places)
    assert text.index("train ") < text.index("inspect ")
    assert call("-h").stdout == text


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from netdef.cli.group import netdef\n"
        "netdef.main(['--help'], standalone_mode=False)\n"
        "heavy = {'numpy', 'rich', 'google', 'lark', 'h5py', 'lmdb'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_version(call):
    assert call("--version").stdout == f"netdef {package.__version__}\n"


def test_unknown_command(call):
    result = call("trian", "x")
    assert result.exit_code == 2
    assert "there is no command `trian`: did you mean `train`?" in result.stderr


def _failing(error):
    @click.command()
    def fail():
        raise error

    class One(LazyGroup):
        def get_command(self, ctx, cmd_name):
            return fail

    return One("netdef")


def test_out_of_memory_is_a_diagnosis(folder):
    from click.testing import CliRunner

    error = MemoryError("Unable to allocate 186. GiB for an array")
    result = CliRunner().invoke(_failing(error), ["train"])
    assert result.exit_code == 1
    assert "error[N605]: there is not enough memory: unable to allocate 186. GiB" in result.stderr


def test_interrupt(folder):
    from click.testing import CliRunner

    result = CliRunner().invoke(_failing(KeyboardInterrupt()), ["train"])
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"


def test_own_bugs_are_not_hidden(folder):
    from click.testing import CliRunner

    result = CliRunner().invoke(_failing(ZeroDivisionError()), ["train"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_reader_that_goes_away(start):
    process = start("layers")
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)
    assert errors == ""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("settings", "colored"),
    [
        ({}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ({"CLICOLOR_FORCE": "0"}, False),
    ],
)
def test_colour(call, monkeypatch, settings, colored):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert ("\033[" in call("draw", "net.prototxt").stdout) is colored
    assert ("\033[" in call("draw", "nothing").stderr) is colored
