"""A document as one HTML file that needs nothing else: no script, no font, no request.

It is built as a tree of elements and then written, so that text is escaped wherever it comes from.
"""

from collections.abc import Iterable
from functools import singledispatch
from importlib.resources import files
from xml.etree import ElementTree as ET

from processor.reporting import document as doc
from processor.reporting.plain import plain

# Nothing is fetched, and nothing runs, whatever should slip through.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
_MARKS = {"good": "✓", "doubt": "!", "bad": "✗", "calm": "", "none": ""}
_TONES = {"good": "met", "doubt": "in doubt", "bad": "missed", "calm": "", "none": ""}


def written(document: doc.Document) -> str:
    """The file's content."""
    html = ET.Element("html", {"lang": "en"})
    _head(html, document)
    body = ET.SubElement(html, "body")
    _add(body, "a", "Skip to the report", href="#report", look="skip")
    main = ET.Element("main", {"id": "report"})
    _masthead(body, document)
    body.append(main)
    for block in document.head:
        main.append(_block(block))
    for section in document.sections:
        main.append(_section(section))
    footer = _add(body, "footer")
    _line(_add(footer, "p"), document.foot)
    return "<!DOCTYPE html>\n" + ET.tostring(html, encoding="unicode", method="html") + "\n"


def _head(html: ET.Element, document: doc.Document) -> None:
    head = _add(html, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    for name, content in (
        ("viewport", "width=device-width, initial-scale=1"),
        ("color-scheme", "light dark"),
        ("referrer", "no-referrer"),
        ("robots", "noindex"),
    ):
        ET.SubElement(head, "meta", {"name": name, "content": content})
    _add(head, "title", f"{document.title} · {document.kicker}")
    ET.SubElement(head, "link", {"rel": "icon", "href": "data:,"})
    _add(head, "style", files(__package__).joinpath("report.css").read_text("utf-8"))


def _masthead(body: ET.Element, document: doc.Document) -> None:
    header = _add(body, "header")
    kicker = _add(header, "p", look="kicker")
    _add(kicker, "span", document.kicker)
    _add(kicker, "span", document.state, look=f"state {document.tone}")
    _add(_add(header, "h1"), "bdi", document.title)
    _line(_add(header, "p", look="about"), document.about)
    nav = _add(header, "nav")
    nav.set("aria-label", "Sections")
    for section in document.sections:
        _add(nav, "a", section.title, href=f"#{section.name}")


def _section(section: doc.Section) -> ET.Element:
    found = ET.Element("section", {"id": section.name, "aria-labelledby": f"{section.name}-title"})
    _add(found, "h2", section.title).set("id", f"{section.name}-title")
    _add(found, "div", look="blocks").extend(_block(block) for block in section.blocks)
    return found


@singledispatch
def _block(block: object) -> ET.Element:
    raise TypeError(f"{type(block).__name__} is no block")


@_block.register
def _(block: doc.Prose) -> ET.Element:
    paragraph = ET.Element("p", {"class": block.look} if block.look != "text" else {})
    _line(paragraph, block.line)
    return paragraph


@_block.register
def _(block: doc.Cards) -> ET.Element:
    found = ET.Element("div")
    if block.title:
        _add(found, "p", block.title, look="caption")
    cards = _add(found, "dl", look="cards small" if block.title else "cards")
    for card in block.cards:
        box = _add(cards, "div", look=f"card {card.tone}")
        _add(box, "dt", card.name)
        value = _add(box, "dd", look="value")
        _part(value, card.figure)
        _mark(value, card.tone)
        if card.note:
            _line(_add(box, "dd", look="note"), card.note)
    return found


@_block.register
def _(block: doc.Shares) -> ET.Element:
    found = ET.Element("figure", {"class": "shares"})
    _add(found, "figcaption", block.title)
    bar = _add(found, "div", look="bar")
    bar.set("aria-hidden", "true")
    legend = _add(found, "ul")
    for share in block.shares:
        if share.of_all > 0:
            ET.SubElement(
                bar, "span", {"class": share.tone, "style": f"flex-grow:{share.of_all:.6f}"}
            )
        entry = _add(legend, "li")
        _add(entry, "i", look=share.tone).set("aria-hidden", "true")
        _add(entry, "span", f"{share.name} ")
        _part(entry, share.figure)
    return found


@_block.register
def _(block: doc.Table) -> ET.Element:
    frame = ET.Element("div", {"class": "table", "tabindex": "0", "role": "region"})
    frame.set("aria-label", plain(block.title))
    table = _add(frame, "table")
    _add(table, "caption", block.title)
    row = _add(_add(table, "thead"), "tr")
    for place, head in enumerate(block.heads):
        cell = _add(row, "th", head, look="number" if place in block.numbers else "")
        cell.set("scope", "col")
    body = _add(table, "tbody")
    for cells in block.rows:
        row = _add(body, "tr")
        for place, one in enumerate(cells):
            _cell(row, one, is_head=not place, is_number=place in block.numbers)
    return frame


def _cell(row: ET.Element, cell: doc.Cell, *, is_head: bool, is_number: bool) -> None:
    looks = [*(["number"] if is_number else []), *([cell.tone] if cell.tone != "none" else [])]
    found = _add(row, "th" if is_head else "td", look=" ".join(looks))
    if is_head:
        found.set("scope", "row")
    if cell.filled is not None:
        found.set("class", "filled")
        found.set("style", f"--filled:{100 * cell.filled:.0f}%")
    _line(found, cell.line)
    _mark(found, cell.tone)


@_block.register
def _(block: doc.Charts) -> ET.Element:
    return _group("charts", map(_chart, block.charts))


def _group(look: str, parts: Iterable[ET.Element]) -> ET.Element:
    found = ET.Element("div", {"class": look})
    found.extend(parts)
    return found


def _chart(chart: doc.Chart) -> ET.Element:
    found = ET.Element("figure", {"class": "chart"})
    caption = _add(found, "figcaption")
    _add(caption, "b", chart.title)
    for key in chart.keys:
        entry = _add(caption, "span", look="key")
        _add(entry, "i", look=key.look).set("aria-hidden", "true")
        _add(entry, "span", key.words)
    plot = _add(found, "div", look="plot")
    plot.append(chart.drawing)
    for axis, ticks in (("across", chart.across), ("up", chart.up)):
        for tick in ticks:
            label = _add(plot, "span", tick.words, look=f"tick {axis}")
            label.set("style", f"--at:{100 * tick.at:.2f}%")
            label.set("aria-hidden", "true")
    _line(_add(found, "p", look="note"), chart.told)
    return found


@_block.register
def _(block: doc.Pairs) -> ET.Element:
    found = ET.Element("dl", {"class": "pairs"})
    for name, line in block.pairs:
        pair = _add(found, "div")
        _add(pair, "dt", name)
        _line(_add(pair, "dd"), line)
    return found


@_block.register
def _(block: doc.Command) -> ET.Element:
    found = ET.Element("pre")
    _add(found, "code", block.text)
    return found


@_block.register
def _(block: doc.Specimens) -> ET.Element:
    return _group("specimens", map(_specimen, block.specimens))


def _specimen(each: doc.Specimen) -> ET.Element:
    found = ET.Element("article", {"class": "specimen"})
    head = _add(found, "h3")
    _part(head, doc.Foreign(each.name))
    _add(head, "span", each.state, look=f"state {each.tone}")
    _line(_add(head, "span", look="told"), each.told)
    sides = _add(found, "div", look="sides")
    for side in each.sides:
        box = _add(sides, "div")
        _add(box, "h4", side.name)
        if side.formula is not None:
            _add(box, "div", look="formula").append(side.formula)
        text = _add(box, "pre", side.text, look="source" if side.formula is not None else "")
        text.set("dir", "auto")
        text.set("tabindex", "0")
    if each.fields:
        fields = _add(found, "dl", look="fields")
        for name, value in each.fields:
            pair = _add(fields, "div")
            _add(_add(pair, "dt"), "bdi", name)
            _add(_add(pair, "dd"), "bdi", value)
    for note in each.notes:
        _line(_add(found, "p", look="note"), note)
    return found


def _line(parent: ET.Element, line: doc.Line) -> None:
    for part in line:
        _part(parent, part)


def _part(parent: ET.Element, part: doc.Part) -> None:
    if isinstance(part, str):
        _append_text(parent, plain(part))
    elif isinstance(part, doc.Figure):
        value = "" if part.value is None else repr(part.value)
        ET.SubElement(
            parent, "data", {"data-figure": plain(part.name), "value": value}
        ).text = plain(part.words)
    elif isinstance(part, doc.Foreign):
        _add(parent, "bdi", part.text)
    else:
        _add(parent, "code", part.text)


def _mark(parent: ET.Element, tone: doc.Tone) -> None:
    """What a colour says, also to who does not see it."""
    if mark := _MARKS[tone]:
        sign = _add(parent, "span", mark, look=f"mark {tone}")
        sign.set("role", "img")
        sign.set("aria-label", _TONES[tone])


def _append_text(parent: ET.Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _add(
    parent: ET.Element, kind: str, text: str = "", *, look: str = "", href: str = ""
) -> ET.Element:
    attributes = {"class": look, "href": href}
    found = ET.SubElement(parent, kind, {name: one for name, one in attributes.items() if one})
    if text:
        found.text = text if kind == "style" else plain(text)
    return found
