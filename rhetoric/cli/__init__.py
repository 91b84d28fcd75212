"""The command line: `rhetoric …`. One module a command, loaded when it is called, so that each starts fast."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import sys
from typing import Any, TextIO, cast

import click

import rhetoric

HELP = """Find where speeches frame soft power, criticise the West or pledge support to NGOs.

Every sentence of a speech gets a calibrated probability and a yes or no for each category of the
codebook. Rows go to standard output or a file; messages, progress and the summary go to standard
error. Nothing leaves this machine.

\b
Examples:
  rhetoric label speech.txt                    rows on the screen, as JSON Lines
  rhetoric label speeches/ --out rows.csv      a folder of texts, as a table
  rhetoric label archive/ --run june           a folder that survives crashes and goes on
  rhetoric inspect interview.pdf               what is read from a file, before labelling
  cat speech.txt | rhetoric label -            from another program
  rhetoric share rows.csv --by speaker         shares with intervals
  rhetoric codebook                            what the categories mean

\b
Exit codes:
  0    all was done
  1    something could not be read, and the rest was done; or the rows could not be written
  2    nothing was done, because the command was wrong
  3    a run stopped before its end and can be resumed
  130  the same, by Ctrl-C

\b
Environment:
  XDG_CACHE_HOME  where the compiled model is kept between starts (default: ~/.cache)

`rhetoric COMMAND --help` explains a command, its options and its rows.
"""

COMMANDS = {
    "label": "Label every sentence of files of any kind, of folders or of standard input.",
    "runs": "List, check, resume and export labelling runs: folders that survive crashes.",
    "inspect": "Show what is read from files: facts, turns, what was dropped, sentences.",
    "share": "Show what share of sentences is in each category, by group, with intervals.",
    "compare": "Compare groups: difference, ratio, effect size, a test, typical words and sentences.",
    "trend": "Show how shares change over time, with a smooth line and changes of level.",
    "audit": "Code a sample of a run, so that shares can be corrected for the classifier's errors.",
    "agreement": "Measure how far coders agree: alpha, kappa, percent.",
    "report": "Write one page with everything, and the data and figures beside it.",
    "codebook": "Show what the categories mean, with examples and near misses.",
}
"""Each command with its line in the help; the command is the function of that name in `rhetoric.cli.NAME`."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command, or return None for an unknown name."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"rhetoric.cli.{name}"), name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, or show a help; a full disk or a closed screen is a message, not a traceback."""
        _mend_streams()
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                _flush()
        except OSError as error:
            told = f"{error.filename or 'the output cannot be written'}: {error.strerror or error}"
            with contextlib.suppress(OSError):
                click.echo(f"Error: {told}", err=True)
            _drop_output()
            sys.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class _Closed(io.TextIOBase):
    """A standard output that is closed: writing to it fails, where Python and click would say nothing."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "standard output is closed")


def _mend_streams() -> None:
    """Have two streams that take any character, whatever the locale and whoever closed them."""
    sys.stdout = sys.stdout or cast("TextIO", _Closed())
    sys.stderr = sys.stderr or io.StringIO()  # there is nobody to tell
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _flush() -> None:
    """Write what is left of the output; that its reader has seen enough is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()


def _drop_output() -> None:
    """Let what could not be written go, so that Python does not fail on it once more at its end."""
    with contextlib.suppress(OSError):  # a stream that is no file holds nothing back
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


@click.group(
    cls=LazyGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(rhetoric.__version__, prog_name="rhetoric")
def main() -> None:
    """Run the command line."""
