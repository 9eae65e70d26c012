"""Figures as they stand in the page: drawings as SVG, the interactive one with what draws it.

Drawings are in the page itself, not beside it, so that lines and letters take the page's colours,
light or dark, and a search in the page finds them.
"""

import base64
import gzip
import io
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What matplotlib would say of itself and the hour: a page of the same numbers is the same page.
NOTHING = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def draw_svg(figure: "Figure", name: str) -> str:
    """The drawing as an <svg> element.

    `name` keeps its ids apart from those of other drawings. The page has a title and a sentence on
    how to read it, with the ids `name`-title and `name`-reading.
    """
    import matplotlib

    from ..figures.style import INK

    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata=NOTHING)
    text = out.getvalue()
    svg = text[text.index("<svg") :].rstrip().replace(INK, "currentColor")
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r' (width|height)="[^"]*pt"', "", svg, count=2)
    return svg.replace("<svg", f'<svg role="img" aria-labelledby="{name}-title {name}-reading"', 1)


@cache
def pack_plotly() -> str:
    """plotly.js, gzipped, as base64: a third of its size, and it has no </script> in it."""
    import plotly

    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode()


def pack_figure(figure: Any) -> str:
    """A plotly figure as JSON that may stand in a <script> element."""
    text = str(figure.to_json())
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
