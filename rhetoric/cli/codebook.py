"""`rhetoric codebook`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from rhetoric.codebook import default_codebook


@click.command()
def codebook() -> None:
    """Show what the categories mean: definitions, rules, examples and near misses."""
    book = default_codebook()
    click.echo(f"{book.title}, version {book.version}\n")
    click.echo("For all categories\n" + _points(book.rules))
    for category in book.categories:
        click.secho(f"{category.name} ({category.key})", bold=True)
        click.echo(f"{category.definition}\n\n  Test: {category.test}\n")
        for heading, lines in (
            ("Yes when", category.yes), ("No when", category.no),
            ("Examples", category.examples), ("Near misses", category.near_misses),
        ):  # fmt: skip
            click.echo(f"  {heading}\n" + _points(lines))


def _points(lines: Iterable[str]) -> str:
    return "".join(f"  - {line}\n" for line in lines)
