"""`rhetoric runs …`."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from rhetoric.cli.options import user_errors
from rhetoric.codebook import default_codebook
from rhetoric.export import WRITERS, format_of
from rhetoric.records import as_text
from rhetoric.runs import Manifest, is_run, left, read_run
from rhetoric.shards import Counts, ShardError, read_shard, shard_paths

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def runs() -> None:
    """Labelling runs: folders that `rhetoric label PATH... --run FOLDER` makes.

    \b
    rhetoric label speeches/ --run june      label into a run, or take in what is new
    rhetoric runs list                       the runs in this folder
    rhetoric runs resume june                go on where it was broken off
    rhetoric runs export june --out june.csv
    """


@runs.command("list")
@click.argument("folder", type=FOLDER, default=".")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@user_errors
def list_runs(folder: Path, as_json: bool) -> None:
    """List the runs in FOLDER (default: this one)."""
    found = [path for path in (folder, *sorted(folder.iterdir())) if is_run(path)]
    lines = [_line(path, read_run(path)) for path in found]
    if as_json:
        click.echo(json.dumps(lines))
    elif not lines:
        click.echo(f"no runs in {folder}; `rhetoric label PATH --run NAME` makes one", err=True)
    else:
        click.echo(as_text({name: [str(line[name]) for line in lines] for name in lines[0]}))


def _line(path: Path, manifest: Manifest) -> dict[str, object]:
    counts = _counts(path, manifest)
    return {
        "run": str(path), "state": "ended" if manifest.ended else "unfinished", "files": len(manifest.current),
        "documents": counts.documents, "sentences": counts.sentences, "errors": counts.errors,
        "model": manifest.model_version, "codebook": manifest.codebook_version, "started": manifest.started,
    }  # fmt: skip


def _counts(path: Path, manifest: Manifest) -> Counts:
    if manifest.ended:
        return manifest.counts
    total = Counts()
    for shard in shard_paths(path):
        with contextlib.suppress(ShardError):  # `runs verify` says which
            total.add(read_shard(shard).counts)
    return total


@runs.command()
@click.argument("run", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@user_errors
def show(run: Path, as_json: bool) -> None:
    """Show what a run is: inputs, model, options, libraries, counts."""
    manifest = read_run(run)
    counts = _counts(run, manifest)
    if as_json:
        click.echo(json.dumps({**asdict(manifest), "counts": asdict(counts)}))
        return
    unfinished = f"unfinished, {len(left(run, manifest)):,} of {len(list(manifest.parts)):,} parts are left"
    facts = {
        "state": f"ended {manifest.ended}" if manifest.ended else unfinished, "started": manifest.started,
        "engine": manifest.engine, "inputs": f"{len(manifest.current):,} files under {', '.join(manifest.paths)} (from {manifest.folder})",
        **{name: value for name, value in manifest.identity.items() if value},
        "libraries": ", ".join(f"{name} {number}" for name, number in manifest.libraries.items()),
        "documents": f"{counts.documents:,}", "sentences": f"{counts.sentences:,} in {len(shard_paths(run)):,} shards",
        **{c.name: f"{counts.labels.get(c.key, 0):,}" for c in default_codebook().categories},
        "to review": f"{counts.review:,}", "could not be read": f"{counts.errors:,}",
    }  # fmt: skip
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name:{width}}  {value}")


@runs.command()
@click.argument("run", type=FOLDER)
@user_errors
def verify(run: Path) -> None:
    """Check a run: sums, every sentence exactly once, offsets, input files unchanged. Exit code 1 if not."""
    from rhetoric.verify import problems

    found = list(problems(run))
    for problem in found:
        click.echo(problem)
    if not found:
        click.echo(f"{run}: whole; {read_run(run).counts.sentences:,} sentences, each once; input files as they were")
    sys.exit(1 if found else 0)


@runs.command()
@click.argument("run", type=FOLDER)
@click.option("--engine", type=click.Choice(["local", "ray"]), help="Default: the one it was begun with.")
@click.option("--address", default="", metavar="ADDRESS", help="Ray: the cluster's address.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Ray: how many label.")
@click.option("--retry", is_flag=True, help="Read anew what could not be read before.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option("--json", "as_json", is_flag=True, help="Progress and result as JSON Lines.")
@user_errors
def resume(run: Path, engine: str | None, address: str, workers: int, retry: bool, quiet: bool, as_json: bool) -> None:
    """Go on with a run: what is left of it, and files that are new or changed since."""
    from rhetoric.cli.running import Order, carry_out
    from rhetoric.engines import Cluster

    manifest, folder = read_run(run), run.resolve()
    with contextlib.chdir(manifest.folder):  # its paths are seen from there
        order = Order(
            folder, manifest.paths, manifest.settings, manifest.part_bytes, engine or manifest.engine,
            Cluster(address, workers), retry,
        )  # fmt: skip
        sys.exit(carry_out(order, quiet=quiet, as_json=as_json))


@runs.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: the screen.")
@click.option("--format", "form", type=click.Choice(list(WRITERS)), help="Default: by the ending of --out, else jsonl.")
@user_errors
def export(run: Path, out: Path | None, form: str | None) -> None:
    """Write the rows of a run into one file, as `rhetoric label --out` would have."""
    from rhetoric.export import open_out
    from rhetoric.runs import labelled

    manifest = read_run(run)
    form = form or (format_of(out) if out else "jsonl")
    if not manifest.ended:
        click.echo(f"rhetoric: warning: {run} is unfinished; these are the rows so far", err=True)
    with contextlib.ExitStack() as stack, contextlib.suppress(BrokenPipeError):  # the reader may have seen enough
        WRITERS[form](labelled(run), open_out(out, form, stack), default_codebook().keys)
