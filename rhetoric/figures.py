"""Figures for publication, as PNG and SVG, the same bytes for the same data.

Nothing here depends on a display or on the user's matplotlib settings. Text stays text in SVG.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rhetoric.codebook import Codebook, default_codebook
from rhetoric.errors import CodebookError, RhetoricError
from rhetoric.table import TableError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rhetoric.compare import Comparison
    from rhetoric.keyness import Word
    from rhetoric.measure import Share
    from rhetoric.trend import Line

FORMATS = ("png", "svg", "pdf")
INK, GREY, LIGHT = "#222222", "#767676", "#d9d9d9"
FIRST, SECOND = "#0f5e9c", "#b5540c"
_STYLE: Any = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9, "axes.titlesize": 10,
    "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": GREY, "axes.labelcolor": INK, "xtick.color": GREY, "ytick.color": GREY,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "svg.fonttype": "none", "figure.dpi": 100, "savefig.dpi": 200,
    "path.simplify": False, "pdf.fonttype": 42, "text.parse_math": False,
}  # fmt: skip

Draw = Callable[["Figure"], None]


def save(draw: Draw, size: tuple[float, float], path: Path) -> None:
    """Draw a figure of `size` inches and write it in the format of the path's ending.

    Raises:
        TableError: the ending is none of `FORMATS`, or the file cannot be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise TableError(f"{path}: a figure's ending must be one of {', '.join(FORMATS)}")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    with mpl.rc_context({**_STYLE, "svg.hashsalt": path.stem}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        try:
            figure.savefig(path, format=form, metadata=metadata)
        except OSError as error:
            raise TableError(f"{path}: {error.strerror or error}") from error


def category_name(key: str, codebook: Codebook | None = None) -> str:
    """Name of a category on screens; the key itself where the codebook doesn't have it."""
    try:
        return (codebook or default_codebook())[key].name
    except CodebookError:
        return key


def category_colour(key: str, codebook: Codebook | None = None) -> str:
    """Colour of a category; grey where the codebook doesn't have it."""
    try:
        return (codebook or default_codebook())[key].colour
    except CodebookError:
        return GREY


def group_name(group: Sequence[str]) -> str:
    """One line for a group."""
    return ", ".join(group) or "all"


def _short(text: str, width: int) -> str:
    """Cut a name to fit; within a word too, as names of files and of other scripts have no blanks.

    >>> _short("speeches/2014/velmara.txt", 12), _short("Ana  Vell", 12)
    ('speeches/20…', 'Ana Vell')
    """
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _percent(axis: Any, decimals: int | None = None) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=decimals))


def shares_figure(shares: Sequence[Share], path: Path) -> None:
    """Raw and corrected shares side by side: a row a group, a column a category."""
    categories = list(dict.fromkeys(share.category for share in shares))
    groups = list(dict.fromkeys(share.group for share in shares))
    size = (1.6 + 2.7 * len(categories), 1.35 + 0.27 * len(groups))

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(categories), sharey=True, squeeze=False)[0]
        for axis, category in zip(axes, categories, strict=True):
            _shares_axis(axis, [s for s in shares if s.category == category], category)
            axis.set_yticks(range(len(groups)), [_label(s, shares) for s in groups])
            axis.set_ylim(len(groups) - 0.4, -0.6)
        corrected = any(s.corrected for s in shares)
        figure.supxlabel("Share of sentences, 95% interval clustered by document" + (
            "; grey: as the classifier counts, colour: corrected with the audit sample" if corrected else ""
        ), fontsize=8, color=GREY)  # fmt: skip

    save(draw, size, path)


def _label(group: Sequence[str], shares: Sequence[Share]) -> str:
    documents = max(s.raw.documents for s in shares if s.group == group)
    return f"{_short(group_name(group), 34)}  ({documents})"


def _shares_axis(axis: Axes, shares: Sequence[Share], category: str) -> None:
    colour = category_colour(category)
    limit = 0.0
    for row, share in enumerate(shares):
        corrected = share.corrected.estimate if share.corrected else None
        _bar(axis, row + (0.16 if corrected else 0), share.raw, GREY if corrected else colour)
        if corrected:
            _bar(axis, row - 0.16, corrected, colour)
        shown = [e for e in (share.raw, corrected) if e is not None and np.isfinite(e.share)]
        wide = [min(e.high, max(4 * e.share, 0.02)) for e in shown if np.isfinite(e.high)]
        limit = max([limit, *wide, *(e.share for e in shown)])
    axis.set_xlim(0, (limit or 0.01) * 1.06)
    axis.set_title(category_name(category))
    axis.grid(axis="x", color=LIGHT, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    axis.locator_params(axis="x", nbins=4)
    _percent(axis.xaxis)


def _bar(axis: Axes, row: float, estimate: Any, colour: str) -> None:
    if np.isfinite(estimate.low):
        axis.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
    face = colour if np.isfinite(estimate.low) else "white"
    axis.plot(estimate.share, row, "o", color=colour, markerfacecolor=face, markersize=4.5)


def comparison_figure(results: Sequence[Comparison], path: Path) -> None:
    """Differences between groups with their intervals; filled where the adjusted p-value is below 0.05."""
    categories = list(dict.fromkeys(r.category for r in results))
    pairs = list(dict.fromkeys((r.first, r.second) for r in results))
    size = (2.2 + 2.7 * len(categories), 1.35 + 0.3 * len(pairs))

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(categories), sharey=True, squeeze=False)[0]
        for axis, category in zip(axes, categories, strict=True):
            colour = category_colour(category)
            for result in (r for r in results if r.category == category):
                row = pairs.index((result.first, result.second))
                if np.isfinite(result.difference_low):
                    axis.plot([result.difference_low, result.difference_high], [row, row], color=colour, linewidth=1.6)
                clear = result.p_holm < 0.05
                axis.plot(
                    result.difference,
                    row,
                    "o",
                    color=colour,
                    markersize=5,
                    markerfacecolor=colour if clear else "white",
                )
            axis.axvline(0, color=INK, linewidth=0.8)
            axis.set_title(category_name(category))
            axis.set_yticks(range(len(pairs)), [_short(f"{a} − {b}", 42) for a, b in pairs])
            axis.set_ylim(len(pairs) - 0.4, -0.6)
            axis.tick_params(axis="y", length=0)
            axis.grid(axis="x", color=LIGHT, linewidth=0.6)
            axis.locator_params(axis="x", nbins=5)
            axis.xaxis.set_major_formatter(lambda x, _: f"{100 * x:+.3g}" if abs(x) > 1e-12 else "0")
        figure.supxlabel(
            "Difference in percentage points, 95% interval; filled: p < 0.05 after Holm, documents "
            "permuted", fontsize=8, color=GREY
        )  # fmt: skip

    save(draw, size, path)


def keyness_figure(words: Sequence[Word], first: str, second: str, category: str, path: Path, top: int = 15) -> None:
    """Words that set two groups apart: z against how often they occur, the strongest written out."""
    size = (6.8, 0.9 + 0.24 * top)

    def draw(figure: Figure) -> None:
        sides = (
            ([w for w in words if w.z > 0][:top], FIRST, first),
            ([w for w in words[::-1] if w.z < 0][:top], SECOND, second),
        )
        most = max([abs(w.z) for chosen, _, _ in sides for w in chosen], default=1.0)
        axes = figure.subplots(1, 2)
        for axis, (chosen, colour, name) in zip(axes, sides, strict=True):
            for row, word in enumerate(chosen):
                axis.plot([0, abs(word.z)], [row, row], color=colour, linewidth=1.2)
                count = word.count_first if colour == FIRST else word.count_second
                axis.scatter(abs(word.z), row, s=10 + 6 * np.sqrt(count), color=colour, zorder=3, linewidths=0)
                other = word.count_second if colour == FIRST else word.count_first
                axis.annotate(f"{count} : {other}", (abs(word.z), row), xytext=(9, 0), textcoords="offset points",
                              va="center", fontsize=7, color=GREY)  # fmt: skip
            axis.axvspan(0, 1.96, color=LIGHT, alpha=0.5, linewidth=0, zorder=0)
            axis.set_xlim(0, most * 1.28)
            axis.set_ylim(top - 0.4, -0.6)
            axis.set_yticks(range(len(chosen)), [w.word for w in chosen])
            axis.tick_params(axis="y", length=0)
            axis.set_title(_short(name, 40), color=colour)
        figure.supxlabel(f"{category_name(category)}: z of the log-odds ratio with an informative prior;\n"
                         "numbers: occurrences here : there; grey: |z| below 1.96",
                         fontsize=8, color=GREY)  # fmt: skip

    save(draw, size, path)


_TREND_LEGEND = (
    "Points: share of sentences a period (grey: not corrected), bars: 95% interval by document, line: LOESS with 95% band, "
    "dashed: changes of level; foot: sentences"
)


def trend_figure(lines: Sequence[Line], path: Path, *, links: Callable[[Line, str], str] | None = None) -> None:
    """Shares over time in small multiples: a row a group, a column a category.

    Points are sized by their sentences and hollow where no interval can be given; grey bars at the
    foot count the sentences. `links` gives the address that a point of an SVG leads to.
    """
    categories = list(dict.fromkeys(line.category for line in lines))
    groups = list(dict.fromkeys(line.group for line in lines))
    across = len(categories) if len(categories) > 1 else min(4, max(1, round(len(groups) ** 0.5)))
    down = len(groups) if len(categories) > 1 else -(-len(groups) // across)
    size = (max(5.2, 3.1 * across) + 0.4, 0.9 + (2.0 if down > 1 else 2.9) * down)

    def draw(figure: Figure) -> None:
        axes = figure.subplots(down, across, sharex=True, squeeze=False)
        flat = axes.ravel()
        if len(categories) == 1:
            cells = list(zip(lines, flat, strict=False))
        else:
            cells = [(line, axes[groups.index(line.group)][categories.index(line.category)]) for line in lines]
        for category in categories:
            own = [line for line in lines if line.category == category]
            top = _trend_top(own)
            for line, axis in cells:
                if line.category == category:
                    _trend_axis(axis, line, top, links)
        for axis in flat[len(cells) :]:
            axis.set_visible(False)
        for line, axis in cells:
            names = [category_name(line.category)] if len(categories) > 1 else []
            title = " · ".join([*names, *([group_name(line.group)] if line.group else [])]) or category_name(
                line.category
            )
            axis.set_title(_short(title, 42), fontsize=9)
        figure.supxlabel(
            textwrap.fill(_TREND_LEGEND, int(16 * size[0])),
            fontsize=7.5,
            color=GREY,
        )

    save(draw, size, path)


def _trend_top(lines: Sequence[Line]) -> float:
    """Common upper end: above all points and lines, not above the widest interval."""
    shares = [p.estimate.share if np.isfinite(p.estimate.share) else p.raw for line in lines for p in line.points]
    points = [share for share in shares if np.isfinite(share)]
    curves = [float(line.smooth.share.max()) for line in lines if line.smooth]
    middle_high = [float(np.median(line.smooth.high)) for line in lines if line.smooth]
    return max([*points, *curves, *middle_high, 0.005]) * 1.12


def _trend_axis(axis: Axes, line: Line, top: float, links: Callable[[Line, str], str] | None) -> None:
    colour = category_colour(line.category)
    shown = [p for p in line.points if np.isfinite(p.raw)]
    most = max((p.estimate.units for p in line.points), default=1.0) or 1.0
    width = min(np.diff([p.year for p in line.points]).min() if len(line.points) > 1 else 1.0, 1.0) * 0.8
    foot = axis.inset_axes((0, 0, 1, 0.14), sharex=axis, zorder=0)
    foot.bar([p.year for p in line.points], [p.estimate.units for p in line.points], width=width, color=LIGHT)
    foot.set_ylim(0, most)
    foot.axis("off")
    axis.patch.set_alpha(0)
    if line.smooth:
        axis.fill_between(line.smooth.year, line.smooth.low, line.smooth.high, color=colour, alpha=0.18, linewidth=0)
        axis.plot(line.smooth.year, line.smooth.share, color=colour, linewidth=1.6)
    for point in shown:
        estimate = point.estimate
        known, has_share = bool(np.isfinite(estimate.low)), bool(np.isfinite(estimate.share))
        own = colour if has_share else GREY
        if known:
            axis.plot([point.year] * 2, [estimate.low, min(estimate.high, top)], color=colour, linewidth=0.9, alpha=0.7)
        dot = axis.scatter(
            point.year, estimate.share if has_share else point.raw, s=6 + 26 * estimate.units / most, facecolors=colour if known else "white",
            edgecolors=own, linewidths=0.9, zorder=3,
        )  # fmt: skip
        if links:
            dot.set_urls([links(line, point.period)])
    for period in line.changes.periods if line.changes else ():
        start = next(p.year for p in line.points if p.period == period)
        axis.axvline(
            start - (line.points[1].year - line.points[0].year) / 2, color=INK, linewidth=0.9, linestyle=(0, (4, 3))
        )
    axis.set_ylim(-0.14 * top, top)
    axis.set_yticks([t for t in axis.get_yticks() if 0 <= t <= top])
    axis.locator_params(axis="y", nbins=5)
    axis.set_ylim(-0.14 * top, top)
    axis.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.3g}%" if y >= -1e-12 else "")
    axis.grid(axis="y", color=LIGHT, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.locator_params(axis="x", integer=True, nbins=6)


def check_format(path: Path | None) -> None:
    """Refuse a figure's ending before any work is done."""
    if path is not None and path.suffix.lower().lstrip(".") not in FORMATS:
        raise RhetoricError(f"{path}: a figure's ending must be one of {', '.join(FORMATS)}")
