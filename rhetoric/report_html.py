"""HTML of a report: one page, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

STYLE = """
body { font: 16px/1.5 Georgia, 'Times New Roman', serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1, h2, h3, table, nav, figcaption, summary { font-family: 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; font-size: 1.3rem; } h3 { font-size: 1.05rem; }
nav a { margin-right: 1rem; } a { color: #0f5e9c; } figure { margin: 1rem 0; overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
figcaption, .note { color: #555; font-size: .9rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; } th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #e4e4e4; vertical-align: top; overflow-wrap: break-word; }
th { border-bottom: 2px solid #888; } td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre { font-size: .85rem; background: #f4f4f4; padding: .1rem .3rem; overflow-wrap: anywhere; white-space: pre-wrap; }
blockquote { margin: .4rem 0 .4rem 1rem; padding-left: .8rem; border-left: 3px solid #ccc; } blockquote cite { color: #555; font-size: .8rem; display: block; }
:target { background: #fff3c4; } details { margin: .5rem 0; } summary { cursor: pointer; }
@media (max-width: 640px) { figure svg { max-width: none; } }
@media print { body { max-width: none; } details { break-inside: avoid; } }
"""


def page(title: str, sections: Sequence[tuple[str, str, str]], lead: str) -> str:
    """Whole page; sections are (anchor, heading, HTML)."""
    links = "".join(f'<a href="#{anchor}">{escape(heading)}</a>' for anchor, heading, _ in sections)
    body = "".join(
        f'<section id="{anchor}"><h2>{escape(heading)}</h2>{html}</section>' for anchor, heading, html in sections
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{lead}<nav>{links}</nav>{body}</body></html>\n"
    )


def paragraph(text: str, kind: str = "") -> str:
    """One paragraph of plain text."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def bullets(items: Iterable[str]) -> str:
    """List of plain texts."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def table(columns: Mapping[str, Sequence[str]]) -> str:
    """Table of plain texts; columns of numbers to the right."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    number = {
        name: all(re.fullmatch(r"[–<+\-]?[\d.,%]*( to [\d.,%–\-]+)?", v) for v in values)
        for name, values in columns.items()
    }
    lines = "".join(
        "<tr>" + "".join(f'<td class="n">{escape(v)}</td>' if number[name] else f"<td>{escape(v)}</td>" for name, v in zip(columns, line, strict=True)) + "</tr>"
        for line in zip(*columns.values(), strict=True)
    )  # fmt: skip
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def figure(path: Path, caption: str, titles: Mapping[str, str] | None = None) -> str:
    """SVG file inside the page, so that its links work and nothing is requested; `titles` see `labelled_links`."""
    text = path.read_text(encoding="utf-8")
    drawing = labelled_links(text[text.index("<svg") :], titles or {})
    role = "group" if titles else "img"  # the links of an image are hidden from who cannot see it
    return f'<figure role="{role}" aria-label="{escape(caption)}">{drawing}<figcaption>{escape(caption)}</figcaption></figure>'


def labelled_links(svg: str, titles: Mapping[str, str]) -> str:
    """Give the links of a figure their words, which show where a mouse rests; `titles` by anchor.

    They stay on the page, where matplotlib has them open another window.

    >>> labelled_links('<a xlink:href="#at-x-2014" target="_blank"><use/></a>', {"at-x-2014": "2014: 3%"})
    '<a xlink:href="#at-x-2014" aria-label="2014: 3%"><title>2014: 3%</title><use/></a>'
    """

    def label(match: re.Match[str]) -> str:
        words = escape(titles.get(match[1], ""))
        return f'<a xlink:href="#{match[1]}" aria-label="{words}"><title>{words}</title>' if words else match[0]

    return re.sub(r'<a xlink:href="#([^"]+)"[^>]*>', label, svg)


def anchor(*parts: str) -> str:
    """Name for a place in the page, from any texts.

    >>> anchor("criticism_west", "Côte d'Ivoire", "2014")
    'at-criticism_west-c-f4-te-20-d-27-ivoire-2014'
    """
    plain = (
        "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"-{ord(c):x}-" for c in part.lower())
        for part in parts
    )
    return re.sub("-+", "-", "-".join(["at", *plain])).strip("-")


def quotation(text: str, source: str) -> str:
    """One sentence with where it stands."""
    return f"<blockquote>{escape(' '.join(text.split()))}<cite>{escape(source)}</cite></blockquote>"


def folded(summary: str, html: str, name: str = "") -> str:
    """Part of the page that opens on a click."""
    return f"<details{f' id={chr(34)}{name}{chr(34)}' if name else ''} open><summary>{escape(summary)}</summary>{html}</details>"
