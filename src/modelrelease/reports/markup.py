"""HTML that is escaped by construction: a tree of elements whose every text and attribute is data.

There is no way to put a string into a page that is read as markup. Tags and attributes are of a closed set without
scripts, styles, links to elsewhere and anything that loads something.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable
from dataclasses import dataclass

from modelrelease.errors import escape_controls

_TAGS = frozenset(
    {"a", "b", "del", "details", "div", "h1", "h2", "h3", "header", "ins", "li", "main", "nav", "p", "pre", "section"}
    | {"small", "span", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"}
    | {"svg", "line", "rect", "circle", "text", "polyline"}
)
_ATTRIBUTES = frozenset(
    {"class", "id", "href", "open", "scope", "role", "aria-label", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r"}
    | {"width", "height", "viewBox", "points", "text-anchor"}
)


@dataclass(frozen=True, slots=True)
class Element:
    """One element. Texts among its children, and its attributes' values, are shown and never read as markup."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Element | str, ...]


Node = Element | str | None


def el(tag: str, *children: Node, **attributes: str | float | None) -> Element:
    """Return an element; ``class_`` stands for ``class``, ``aria_label`` for ``aria-label``, None for nothing.

    Raises ValueError for a tag or an attribute that is not of the closed set, and a link that leads out of the page.
    """
    if tag not in _TAGS:
        raise ValueError(f"no element {tag!r}")
    found = []
    for key, value in attributes.items():
        name = key.rstrip("_").replace("_", "-")
        if name not in _ATTRIBUTES or (name == "href" and not str(value).startswith("#")):
            raise ValueError(f"no attribute {name!r} with the value {value!r}")
        if value is not None:
            found.append((name, f"{value:.2f}" if isinstance(value, float) else str(value)))
    return Element(tag, tuple(found), tuple(child for child in children if child is not None))


def page(title: str, style: str, body: Iterable[Node]) -> str:
    """Return a whole document. ``style`` is our own sheet; its digest is the only thing that the page lets act.

    Source of the policy: https://www.w3.org/TR/CSP3/.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    )
    return "".join([head, *(f"{render(node)}\n" for node in body if node is not None), "</body>\n</html>\n"])


def render(node: Element | str) -> str:
    """Return a node as HTML."""
    if isinstance(node, str):
        return _text(node)
    attributes = "".join(f' {name}="{html.escape(escape_controls(value))}"' for name, value in node.attributes)
    return f"<{node.tag}{attributes}>{''.join(map(render, node.children))}</{node.tag}>"


def _text(text: str) -> str:
    return "\n".join(html.escape(escape_controls(line), quote=False) for line in text.split("\n"))
