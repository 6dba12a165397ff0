"""A PDF writer just large enough for the samples: Helvetica, WinAnsi, headings, tables, pages.

One page is a flat list of text operators; a table is text at column positions with rules between
its rows. `columns: 2` in the source sets everything below the title in two columns.
"""

PAGE_WIDTH, PAGE_HEIGHT, MARGIN = 595, 842, 62
GUTTER = 22
SIZES = {"h1": 15, "h2": 11.5, "h3": 10.5, "p": 10, "li": 10}
TABLE_SIZE = 9
FOOTER_SIZE = 8

# Advance widths of Helvetica in 1/1000 of the size, characters 32 to 126 (Adobe Core 14 metrics).
_WIDTHS = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
]


def text_width(text, size):
    """Width in points; characters beyond ASCII count as an average one (556)."""
    units = sum(_WIDTHS[ord(c) - 32] if 32 <= ord(c) < 127 else 556 for c in text)
    return units * size / 1000


def wrap(text, size, width):
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return lines + [line]


class Layout:
    """Places blocks on pages; `pages` is a list of lists of content operators."""

    def __init__(self, columns):
        self.columns = columns
        self.pages = []
        self.column = 0
        self.new_page()

    def new_page(self):
        self.pages.append([])
        self.column = 0
        self.top = self.y = PAGE_HEIGHT - MARGIN  # `top` is where a further column starts

    def new_column(self):
        if self.column + 1 < self.columns:
            self.column += 1
            self.y = self.top
        else:
            self.new_page()

    @property
    def width(self):
        return (PAGE_WIDTH - 2 * MARGIN - GUTTER * (self.columns - 1)) / self.columns

    @property
    def left(self):
        return MARGIN + self.column * (self.width + GUTTER)

    def need(self, height):
        if self.y - height < MARGIN:
            self.new_column()

    def text(self, x, y, text, size, bold=False):
        raw = text.encode("cp1252").replace(b"\\", b"\\\\")
        raw = raw.replace(b"(", b"\\(").replace(b")", b"\\)")
        font = b"/F2" if bold else b"/F1"
        self.pages[-1].append(b"BT %s %g Tf 1 0 0 1 %.2f %.2f Tm (%s) Tj ET" %
                              (font, size, x, y, raw))

    def rule(self, x, y, width):
        self.pages[-1].append(b"0.5 w %.2f %.2f m %.2f %.2f l S" % (x, y, x + width, y))

    def block(self, kind, text, width=None):
        size = SIZES[kind]
        bold = kind.startswith("h")
        indent = 12 if kind == "li" else 0
        self.y -= 8 if bold else 3
        lines = wrap(text, size * (1.06 if bold else 1), (width or self.width) - indent)
        self.need(len(lines) * size * 1.35 + (30 if bold else 0))
        for number, line in enumerate(lines):
            self.need(size * 1.35)
            self.y -= size * 1.35
            if kind == "li" and number == 0:
                self.text(self.left, self.y, "\u2022", size)
            self.text(self.left + indent, self.y, line, size, bold)

    def table(self, rows):
        natural = [max(text_width(row[c], TABLE_SIZE * 1.08) for row in rows) + 10
                   for c in range(len(rows[0]))]
        scale = min(1, self.width / sum(natural))
        widths = [w * scale for w in natural]
        step = TABLE_SIZE * 1.35
        self.y -= 5
        for number, row in enumerate(rows):
            cells = [wrap(cell, TABLE_SIZE * (1.08 if number == 0 else 1), w - 6)
                     for cell, w in zip(row, widths)]
            height = max(len(c) for c in cells) * step + 4
            self.need(height)
            self.rule(self.left, self.y, sum(widths))
            x = self.left
            for cell, w in zip(cells, widths):
                for n, line in enumerate(cell):
                    self.text(x + 2, self.y - (n + 1) * step, line, TABLE_SIZE, number == 0)
                x += w
            self.y -= height
        self.rule(self.left, self.y, sum(widths))
        self.y -= 4


def lay_out(fields, blocks):
    layout = Layout(1)
    columns = int(fields.get("columns", "1"))
    for number, (kind, content) in enumerate(blocks):
        if number == 1 and columns > 1:
            layout.columns = columns
            layout.top = layout.y
        if kind == "page":
            layout.new_page()
        elif kind == "column":
            layout.new_column()
        elif kind == "table":
            layout.table(content)
        else:
            layout.block(kind, content)
    for number, page in enumerate(layout.pages, 1):
        label = f'{fields["footer"]} \u2013 page {number} of {len(layout.pages)}'
        raw = label.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)")
        x = (PAGE_WIDTH - text_width(label, FOOTER_SIZE)) / 2
        page.append(b"BT /F1 %d Tf 1 0 0 1 %.2f 36 Tm (%s) Tj ET" % (FOOTER_SIZE, x, raw))
    return layout.pages


def make_pdf(fields, blocks):
    pages = lay_out(fields, blocks)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
            len(pages), b" ".join(b"%d 0 R" % (6 + 2 * n) for n in range(len(pages)))),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        5: b"<< /Title <%s> /Author <%s> /CreationDate (D:20250101000000Z) >>" % tuple(
            (b"\xfe\xff" + fields[key].encode("utf-16-be")).hex().encode("ascii")
            for key in ("title", "author")),
    }
    for n, operators in enumerate(pages):
        stream = b"\n".join(operators)
        objects[6 + 2 * n] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" %
            (PAGE_WIDTH, PAGE_HEIGHT, 7 + 2 * n))
        objects[7 + 2 * n] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream)
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number in sorted(objects):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, start)
    return bytes(out)
