"""`rhetoric codebook`."""

from __future__ import annotations

import click

from rhetoric.codebook import default_codebook


@click.command()
def codebook() -> None:
    """Show what the categories mean: definitions, rules, examples and near misses."""
    book = default_codebook()
    click.echo(f"{book.title}, version {book.version}\n")
    for category in book.categories:
        click.secho(f"{category.name} ({category.key})", bold=True)
        click.echo(f"{category.definition}\n")
        for heading, lines in (
            ("Yes when", category.yes), ("No when", category.no),
            ("Examples", category.examples), ("Near misses", category.near_misses),
        ):  # fmt: skip
            click.echo(f"  {heading}\n" + "\n".join(f"  - {line}" for line in lines) + "\n")
