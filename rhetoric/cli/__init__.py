"""The command line: `rhetoric …`. One module a command, loaded when it is called, so that each starts fast."""

from __future__ import annotations

import importlib
import sys

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

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a full disk or a closed screen is a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly: the reader of our output has seen enough
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'the rows'}: {error.strerror or error}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(rhetoric.__version__, prog_name="rhetoric")
def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
