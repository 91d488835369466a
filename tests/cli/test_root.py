"""What holds for every command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from yaat_core.cli import ending
from yaat_core.cli.door import Door, command
from yaat_core.cli.main import COMMANDS, cli
from yaat_core.errors import YaatError

#: Modules that `yaat --help` must not import: each costs tens of milliseconds.
DEAR = {
    "pyarrow", "numpy", "trio", "duckdb", "plyvel", "httpx", "hypercorn", "starlette",
    "msgspec", "cattrs", "psutil", "re2",
}  # fmt: skip
COST = """
import sys
sys.argv = ["yaat", *{args!r}]
from yaat_core.cli.main import main
try:
    main()
finally:
    print("\\nMODULES", *sys.modules)
"""


@pytest.mark.parametrize("args", [["--help"], [], ["--version"], ["completion", "bash"]])
def test_a_light_command_imports_nothing_dear(yaat: Any, args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COST.format(args=args)],
        capture_output=True,
        text=True,
        env=yaat.environ(),
        check=False,
    )
    modules = done.stdout.partition("\nMODULES")[2].split()
    assert done.returncode == 0, done.stderr
    assert not DEAR & set(modules)


@pytest.mark.parametrize("args", [["--help"], ["plugins", "list"]])
def test_a_list_of_plugins_imports_none(yaat: Any, args: list[str]) -> None:
    (yaat.folder / "fatal.py").write_text("import os; os._exit(9)")
    (yaat.folder / "fatal.toml").write_text('api = "1"\nsummary = "Fatal."\n')
    done = yaat.process(*args, YAAT_PLUGINS_DIR=str(yaat.folder), YAAT_LOAD_PLUGINS="")
    assert done.code in (0, 1), done.err  # 1: some installed plugin is broken
    assert "Fatal." in done.text or args == ["--help"]


def test_the_help_is_quick(yaat: Any) -> None:
    """In seconds of CPU, so that a busy machine does not fail it."""
    spent = []
    for _ in range(5):
        process = subprocess.Popen(yaat.command("--help"), stdout=subprocess.DEVNULL, env=yaat.environ())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        spent.append(used.ru_utime + used.ru_stime)
    assert min(spent) < 0.3


def test_the_help_lists_every_command_and_those_of_plugins(yaat: Any) -> None:
    for args in (["--help"], [], ["-h"]):
        text = yaat(*args).text
        for name, (_, summary) in COMMANDS.items():
            assert name in text
            assert summary.partition(",")[0][:40] in text
        assert "Commands of plugins" in text
        assert "Say hello." in text


def test_the_version(yaat: Any) -> None:
    assert yaat("--version").text == "yaat 0.1.0\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example(name: str) -> None:
    group = CliRunner().invoke(cli, [name, "--help"])
    assert group.exit_code == 0
    leaves = [[name]]
    if "COMMAND" in group.output:
        import click

        found = cli.get_command(click.Context(cli), name)
        leaves = [[name, leaf] for leaf in found.list_commands(click.Context(found))]  # type: ignore[union-attr]
    for leaf in leaves:
        shown = CliRunner().invoke(cli, [*leaf, "--help"])
        assert shown.exit_code == 0
        assert "Examples:\n" in shown.output
        assert f"yaat {' '.join(leaf)}" in shown.output
        assert "--json" in shown.output


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["statsu"], "Did you mean status"),
        (["queue", "lsit"], "Did you mean list"),
        (["query", "numbers 1", "--format", "xml"], "'xml' is not one of 'table'"),
        (["query"], "no SQL was given"),
        (["query", "numbers 1", "--limit", "0"], "--limit"),
        (["query", "numbers 1", "--frmat", "csv"], "--format"),
        (["status", "--fail-on", "x"], "--fail-on"),
        (["status", "extra"], "unexpected extra argument"),
        (["zzzzzz\x1b[31m"], "There are: run"),
    ],
)
def test_wrong_usage_is_2_and_says_how(yaat: Any, args: list[str], says: str) -> None:
    done = yaat(*args)
    assert done.code == 2
    assert done.out == b""
    assert says in done.err
    assert "error[YAAT-E010]" in done.err
    assert "\x1b" not in done.err
    as_json = yaat(*args, "--json")
    assert as_json.code == 2
    assert as_json.document["error"]["code"] == "YAAT-E010"
    assert says in as_json.document["error"]["what"]


def test_common_options_stand_before_or_after(yaat: Any) -> None:
    assert yaat("--json", "-c", str(yaat.config), "status").document["error"]["code"] == "YAAT-E701"
    assert yaat("status", "--json", "-c", str(yaat.config)).document["error"]["code"] == "YAAT-E701"


def test_a_missing_configuration_is_2(yaat: Any) -> None:
    done = yaat("status", "-c", "nowhere.yaml", "--json")
    assert done.code == 2
    assert "nowhere.yaml" in json.dumps(done.document["error"])
    assert "nowhere.yaml" in done.err


def test_a_reader_that_leaves_is_no_error(yaat: Any) -> None:
    process = yaat.start("query", "numbers 100000", "--format", "csv")
    assert process.stdout.readline() == b"n,text\r\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 0


@pytest.mark.parametrize(
    "args", [["validate", "--json"], ["status", "--json"], ["statsu", "--json"], ["config", "schema"]]
)
def test_as_a_process_stdout_is_one_document(yaat: Any, args: list[str]) -> None:
    done = yaat.process(*args)
    assert isinstance(done.document, dict)
    assert done.out.endswith(b"\n")
    assert done.out.count(b"\n") == 1


# --- endings, by commands that end so -------------------------------------------------------------


def end(capsys: pytest.CaptureFixture[str], error: BaseException, *args: str) -> tuple[int, str, str]:
    def work() -> None:
        raise error

    code = ending.ended(work, args)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(capsys, KeyboardInterrupt()) == (130, "", "interrupted\n")


def test_what_nobody_foresaw_is_named_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YAAT_DEBUG", raising=False)
    code, out, err = end(capsys, ZeroDivisionError("division by zero"))
    assert (code, out) == (1, "")
    assert "error[YAAT-E000]: ZeroDivisionError: division by zero" in err
    assert "YAAT_DEBUG=1" in err
    assert "Traceback" not in err
    monkeypatch.setenv("YAAT_DEBUG", "1")
    assert "Traceback" in end(capsys, ZeroDivisionError("division by zero"))[2]


def test_data_in_an_error_does_not_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = end(capsys, YaatError("no \x1b[2J", fix="line\x9b"))
    assert "no \\x1b[2J\n  fix: line\\x9b\n" in err


def test_json_is_asked_for_only_before_two_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(capsys, ZeroDivisionError("x"), "query", "--json")[1].startswith('{"error"')
    assert end(capsys, ZeroDivisionError("x"), "query", "--", "--json")[1] == ""


# --- colours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "env", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_in_a_pipe(yaat: Any, args: list[str], env: dict[str, str], colored: bool) -> None:
    done = yaat("validate", *args, **env)
    assert ("\x1b[" in done.text) == colored, done


@pytest.mark.parametrize(
    ("env", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_on_a_terminal(yaat: Any, env: dict[str, str], colored: bool) -> None:
    assert ("\x1b[" in on_terminal(yaat, ["validate"], env)) == colored


def test_json_on_a_terminal_is_indented_and_one_document(yaat: Any) -> None:
    shown = on_terminal(yaat, ["validate", "--json"], {})
    assert shown.startswith('{\r\n  "ok"')
    assert json.loads(shown)["ok"]


def on_terminal(yaat: Any, args: list[str], env: dict[str, str]) -> str:
    """stdout of a command whose stdout is a terminal."""
    mine, its = pty.openpty()
    process = subprocess.Popen(
        yaat.command(*args),
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=subprocess.DEVNULL,
        cwd=yaat.folder,
        env=yaat.environ(**{"TERM": "xterm", **env}),
    )
    os.close(its)
    seen = b""
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(mine)
    process.wait(30)
    return seen.decode()


# --- commands of plugins ------------------------------------------------------------------------------


def test_a_command_of_a_plugin_has_the_common_options(yaat: Any) -> None:
    assert yaat("greet", "ada").text == "hello ada\n"
    assert yaat("greet", "--json").document == {"hello": "you"}


def test_one_that_can_not_be_imported_is_named_and_the_others_work(yaat: Any) -> None:
    done = yaat("broken", "--anything", "x")
    assert done.code == 2
    assert "the command `broken` of demo.py can't be loaded" in done.err
    assert "yaat_no_such_module" in done.err
    assert yaat("greet").code == 0
    assert yaat("--help").code == 0


def test_a_command_without_arguments_returns_its_code() -> None:
    @command(example="yaat x")
    def refuse() -> int:
        """Refuse."""
        return 5

    assert refuse.main([], "x", standalone_mode=False) == 5
    assert Door().color == "auto"


def test_a_terminal_without_unicode_gets_plain_signs(yaat: Any) -> None:
    done = yaat.process("validate", PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert "[ok] valid" in done.text
    assert done.out.isascii()


def test_completion_knows_commands(yaat: Any) -> None:
    script = yaat("completion", "bash").text
    assert "_YAAT_COMPLETE=bash_complete" in script
    done = yaat.process(_YAAT_COMPLETE="bash_complete", COMP_WORDS="yaat sta", COMP_CWORD="1")
    assert "plain,status" in done.text
    assert yaat("completion", "tcsh").code == 2


def test_it_runs_outside_of_the_checkout(tmp_path: Path) -> None:
    code = "from yaat_core.cli.main import cli; print(sorted(cli.list_commands(None)))"
    root = str(Path(__file__).parent.parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        check=True,
    )
    assert b"status" in done.stdout


def test_the_error_of_a_nursery_is_told_not_the_group(capfd: pytest.CaptureFixture[str]) -> None:
    from yaat_core.cli.ending import ended
    from yaat_core.errors import UsageError

    def fails(error: Exception) -> None:
        raise ExceptionGroup("nursery", [ExceptionGroup("inner", [error])])

    assert ended(lambda: fails(UsageError("the real one", fix="mend it")), []) == 2
    assert ended(lambda: fails(KeyError("odd")), []) == 1
    told = capfd.readouterr().err
    assert "the real one" in told
    assert "KeyError: 'odd'" in told
    assert "ExceptionGroup" not in told
