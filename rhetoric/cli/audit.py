"""`rhetoric audit`: draw a sample, read its codings back, plan how many more to code."""

from __future__ import annotations

from pathlib import Path

import click

from rhetoric.cli.options import FILE, PATH, load, rows_options, seed_option, show, user_errors


@click.group()
def audit() -> None:
    """Code a sample of a run, so that shares can be corrected for the classifier's errors.

    \b
      rhetoric audit draw rows.jsonl --out audit/ --size 300 --by country
      (fill in audit/sheet.xlsx: 1 or 0 in the columns of the categories)
      rhetoric audit read audit/ audit/sheet.xlsx --coder ana
      rhetoric share rows.jsonl --by country --audit audit/
      rhetoric audit plan rows.jsonl --by country --audit audit/ --half-width 0.02
    """


@audit.command()
@rows_options
@click.option("--out", required=True, type=PATH, help="Folder for the audit.")
@click.option("--size", required=True, type=click.IntRange(1), help="Sentences to draw in all.")
@click.option(
    "--by", default="", metavar="COLUMN", help="Column whose groups will be compared: each gets as many sentences."
)
@click.option("--design", type=click.Choice(["stratified", "random"]), default="stratified", show_default=True,
              help="Stratified by probability within groups (narrower intervals), or random within "
                   "groups.")  # fmt: skip
@seed_option
@user_errors
def draw(
    rows: tuple[Path, ...],
    facts: Path | None,
    where: tuple[str, ...],
    out: Path,
    size: int,
    by: str,
    design: str,
    random_seed: int,
) -> None:
    """Draw an audit sample by design, and write the sheet to code it in.

    The sheet shows nothing that the model said. Drawing again with the same seed and a larger size
    adds sentences; codings that were read back stay.
    """
    from rhetoric.audit import draw as draw_sample
    from rhetoric.audit import write_audit
    from rhetoric.codebook import default_codebook
    from rhetoric.sheet import write_sheets

    table = load(rows, facts, where).kept
    drawn = write_audit(out, *draw_sample(table, size, by=by, design=design, random_seed=random_seed))
    sheets = write_sheets(out, drawn.sample, default_codebook())
    click.echo(
        f"{drawn.design.drawn} of {drawn.design.sentences:,} sentences in {len(drawn.design.strata)} strata; "
        f"code {sheets[0]}"
    )


@audit.command()
@click.argument("folder", type=PATH)
@click.argument("sheet", type=FILE)
@click.option("--coder", required=True, help="Who coded it; 'gold' for adjudicated codings.")
@user_errors
def read(folder: Path, sheet: Path, coder: str) -> None:
    """Read a filled sheet (xlsx, csv) back into the audit FOLDER."""
    from rhetoric.audit import add_codings, gap_note, read_audit, read_codings, read_sheets

    known = read_audit(folder)
    codings = read_sheets(known, sheet)
    count = add_codings(known, coder, codings)
    click.echo(f"{coder}: {len(codings)} sentences read, {count} of {known.design.drawn} coded")
    if note := gap_note(known, read_codings(folder)[coder]):
        click.echo(f"Note: {note}", err=True)


@audit.command()
@rows_options
@click.option("--by", multiple=True, metavar="COLUMN", help="Group by this column (repeatable).")
@click.option(
    "--audit",
    "folder",
    type=PATH,
    help="Audit with a first coded sample; without it the model's probabilities stand in.",
)
@click.option("--coder", default="", help="Whose codings count.")
@click.option(
    "--half-width", required=True, type=float, help="Wanted distance from share to interval end: 0.02 for ±2 points."
)
@click.option("--category", multiple=True, help="Only this category (repeatable).")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Confidence level.")
@click.option("--out", type=FILE, help="Write the numbers to this file (csv, json).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@user_errors
def plan(
    rows: tuple[Path, ...], facts: Path | None, where: tuple[str, ...], by: tuple[str, ...], folder: Path | None, coder: str,
    half_width: float, category: tuple[str, ...], level: float, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Say how many more sentences to code for intervals of a wanted width, by group."""
    from rhetoric.audit import draw as draw_sample
    from rhetoric.plan import plan as plan_coding
    from rhetoric.records import number, percent, plan_records

    loaded = load(rows, facts, where, category=category, audit=folder, coder=coder)
    frame = loaded.audit
    if frame is None:
        groups = loaded.kept.grouped(by)[0].select(by).n_unique() if by else 1
        size = min(loaded.kept.frame.height, 100 * groups)
        _, frame, _ = draw_sample(loaded.kept, size, by=by[0] if len(by) == 1 else "")
    plans = list(plan_coding(loaded.rows, half_width, by=by, frame=frame, level=level, where=where))
    columns = {"category": [p.category for p in plans]}
    columns |= {name: [p.group[i] for p in plans] for i, name in enumerate(by)}
    columns |= {
        "share": [percent(p.share) for p in plans],
        "coded": [str(p.coded) for p in plans],
        "± now": [number(100 * p.half_width) for p in plans],
        "± at best": [number(100 * p.floor) for p in plans],
        "more to code": ["–" if p.more is None else f"{p.more:,}" for p in plans],
    }
    notes = [f"{' '.join([p.category, *p.group])}: {p.note}" for p in plans if p.note]
    show(plan_records(plans, by), columns, [*loaded.kept.grouped(by)[1], *notes], as_json=as_json, out=out)
