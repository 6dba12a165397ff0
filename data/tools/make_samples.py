#!/usr/bin/env python3
"""Makes the binary sample documents from the text files in data/tools/sources.

    python3 data/tools/make_samples.py            writes data/samples/**
    python3 data/tools/make_samples.py --check    fails if a file there differs

Needs Python 3.9 or later and nothing beyond its standard library. The results are kept in the
repository, so neither the build nor the tests run this. They are the same bytes on every machine:
timestamps are fixed and archives are stored, not deflated.

A source is `NAME.FORMAT.txt`, with FORMAT one of docx, odt, pdf, pptx, rtf, xlsx, eml. It opens with
`key: value` lines and `---`. Then each line is a block of its own: `#` and `##` headings, `- ` list
items, `| a | b |` table rows (the first row of a table is its header), `%%page` for a page break,
`%%column` for a column break (pdf only), anything else a paragraph. For eml what follows `---` is the body as it stands.
"""

import base64
import io
import pathlib
import sys
import zipfile
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True  # leaves the source folder as it was
from pdf_writer import make_pdf  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "sources"
SAMPLES = HERE.parent / "samples"
# Only ever attached to an e-mail, so not a sample of its own.
ATTACHMENT_ONLY = {"mail/formulary-note-september.docx"}
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OOXML = "application/vnd.openxmlformats-officedocument"


def read_source(path):
    """Returns (fields, body) of a source file."""
    head, body = path.read_text(encoding="utf-8").split("---\n", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    return fields, body


def parse_blocks(body):
    """Returns blocks: ("h1"|"h2"|"h3"|"p"|"li", text), ("table", rows), ("page", "")
    or ("column", "")."""
    blocks = []
    for line in body.splitlines():
        if not line.strip():
            continue
        if line.startswith("|"):
            row = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if blocks and blocks[-1][0] == "table":
                blocks[-1][1].append(row)
            else:
                blocks.append(("table", [row]))
        elif line.startswith("%%"):
            blocks.append((line[2:], ""))
        elif line.startswith("#"):
            marks, text = line.split(" ", 1)
            blocks.append((f"h{len(marks)}", text))
        elif line.startswith("- "):
            blocks.append(("li", line[2:]))
        else:
            blocks.append(("p", line))
    return blocks


def make_zip(members):
    """An archive of (name, text) with fixed timestamps and no compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, text in members:
            info = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, text.encode("utf-8"))
    return out.getvalue()


def relationships(entries):
    rows = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(entries, 1)
    )
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{rows}</Relationships>'


def content_types(overrides):
    rows = "".join(
        f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides
    )
    return (
        f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{rows}</Types>'
    )


def core_properties(fields):
    return (
        f'{XML}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<dc:title>{escape(fields["title"])}</dc:title>'
        f'<dc:creator>{escape(fields["author"])}</dc:creator>'
        '<dcterms:created xsi:type="dcterms:W3CDTF">2025-01-01T00:00:00Z</dcterms:created>'
        "</cp:coreProperties>"
    )


def package_relationships(main):
    return relationships([
        (f"{OFFICE}/officeDocument", main),
        (f"{PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
    ])


CORE_TYPE = ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml")


def make_docx(fields, blocks):
    def run(text, bold=False):
        weight = "<w:rPr><w:b/></w:rPr>" if bold else ""
        return f'<w:r>{weight}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'

    def paragraph(text, style="", bold=False):
        props = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f"<w:p>{props}{run(text, bold)}</w:p>"

    def table(rows):
        lines = []
        for number, row in enumerate(rows):
            header = "<w:trPr><w:tblHeader/></w:trPr>" if number == 0 else ""
            cells = "".join(
                '<w:tc><w:tcPr><w:tcW w:w="0" w:type="auto"/></w:tcPr>'
                f"{paragraph(cell, bold=number == 0)}</w:tc>"
                for cell in row
            )
            lines.append(f"<w:tr>{header}{cells}</w:tr>")
        edges = "".join(
            f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
            for side in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        grid = '<w:gridCol w:w="2200"/>' * len(rows[0])
        return (
            f'<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/><w:tblBorders>{edges}</w:tblBorders>'
            f'</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(lines)}</w:tbl><w:p/>'
        )

    styles_of = {"h1": "Heading1", "h2": "Heading2", "h3": "Heading3", "li": "ListBullet", "p": ""}
    parts = []
    for kind, content in blocks:
        if kind == "table":
            parts.append(table(content))
        elif kind == "page":
            parts.append('<w:p><w:r><w:br w:type="page"/></w:r></w:p>')
        else:
            parts.append(paragraph(content, styles_of[kind]))
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    footer_ref, footer_parts, footer_type, document_rels = "", [], [], [(f"{OFFICE}/styles",
                                                                         "styles.xml")]
    if "footer" in fields:
        footer_ref = '<w:footerReference w:type="default" r:id="rId2"/>'
        document_rels.append((f"{OFFICE}/footer", "footer1.xml"))
        footer_type = [("/word/footer1.xml", f"{OOXML}.wordprocessingml.footer+xml")]
        footer_parts = [("word/footer1.xml",
                         f'{XML}<w:ftr xmlns:w="{word}">{paragraph(fields["footer"])}</w:ftr>')]
    document = (
        f'{XML}<w:document xmlns:w="{word}" xmlns:r="{OFFICE}"><w:body>{"".join(parts)}'
        f'<w:sectPr>{footer_ref}<w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>'
    )
    names = [("Heading1", "heading 1", 0), ("Heading2", "heading 2", 1),
             ("Heading3", "heading 3", 2), ("ListBullet", "List Bullet", None)]
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{style}"><w:name w:val="{name}"/>'
        + (f'<w:pPr><w:outlineLvl w:val="{level}"/></w:pPr><w:rPr><w:b/></w:rPr>'
           if level is not None else "")
        + "</w:style>"
        for style, name, level in names
    )
    types = [
        ("/word/document.xml", f"{OOXML}.wordprocessingml.document.main+xml"),
        ("/word/styles.xml", f"{OOXML}.wordprocessingml.styles+xml"),
    ] + footer_type + [CORE_TYPE]
    return make_zip([
        ("[Content_Types].xml", content_types(types)),
        ("_rels/.rels", package_relationships("word/document.xml")),
        ("word/document.xml", document),
        ("word/styles.xml", f'{XML}<w:styles xmlns:w="{word}">{styles}</w:styles>'),
        ("word/_rels/document.xml.rels", relationships(document_rels)),
        *footer_parts,
        ("docProps/core.xml", core_properties(fields)),
    ])


def make_xlsx(fields, blocks):
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheets = [(title, rows) for (kind, title), (_, rows) in zip(blocks, blocks[1:]) if kind == "h1"]
    strings, members = [], []

    def cell(value, column, row):
        name = f"{chr(ord('A') + column)}{row}"
        try:
            return f'<c r="{name}"><v>{float(value):g}</v></c>'
        except ValueError:
            strings.append(value)
            return f'<c r="{name}" t="s"><v>{len(strings) - 1}</v></c>'

    for number, (_, rows) in enumerate(sheets, 1):
        lines = "".join(
            f'<row r="{r}">{"".join(cell(value, c, r) for c, value in enumerate(row))}</row>'
            for r, row in enumerate(rows, 1)
        )
        members.append((f"xl/worksheets/sheet{number}.xml",
                        f'{XML}<worksheet xmlns="{main}"><sheetData>{lines}</sheetData>'
                        "</worksheet>"))
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    listing = "".join(
        f'<sheet name="{escape(title)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, (title, _) in enumerate(sheets, 1)
    )
    rels = [(f"{OFFICE}/worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
    types = [("/xl/workbook.xml", f"{OOXML}.spreadsheetml.sheet.main+xml")] + [
        (f"/{name}", f"{OOXML}.spreadsheetml.worksheet+xml") for name, _ in members
    ] + [("/xl/sharedStrings.xml", f"{OOXML}.spreadsheetml.sharedStrings+xml"), CORE_TYPE]
    return make_zip([
        ("[Content_Types].xml", content_types(types)),
        ("_rels/.rels", package_relationships("xl/workbook.xml")),
        ("xl/workbook.xml", f'{XML}<workbook xmlns="{main}" xmlns:r="{OFFICE}">'
                            f"<sheets>{listing}</sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels",
         relationships(rels + [(f"{OFFICE}/sharedStrings", "sharedStrings.xml")])),
        *members,
        ("xl/sharedStrings.xml",
         f'{XML}<sst xmlns="{main}" count="{len(strings)}" uniqueCount="{len(strings)}">'
         f"{shared}</sst>"),
        ("docProps/core.xml", core_properties(fields)),
    ])


def make_pptx(fields, blocks):
    """Slides with a title and bullets; no master, which readers of text do not need."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    show = "http://schemas.openxmlformats.org/presentationml/2006/main"
    slides = [[]]
    for block in blocks:
        if block[0] == "page":
            slides.append([])
        else:
            slides[-1].append(block)

    def shape(number, kind, lines):
        paragraphs = "".join(f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>" for text in lines)
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{kind} {number}"/><p:cNvSpPr/>'
            f'<p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:spPr/>'
            f"<p:txBody><a:bodyPr/>{paragraphs}</p:txBody></p:sp>"
        )

    members = []
    for number, slide in enumerate(slides, 1):
        shapes = shape(2, "title", [t for kind, t in slide if kind == "h1"])
        shapes += shape(3, "body", [t for kind, t in slide if kind != "h1"])
        members.append((
            f"ppt/slides/slide{number}.xml",
            f'{XML}<p:sld xmlns:a="{drawing}" xmlns:p="{show}"><p:cSld><p:spTree><p:nvGrpSpPr>'
            '<p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
            f"{shapes}</p:spTree></p:cSld></p:sld>",
        ))
    listing = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in range(1, len(slides) + 1))
    rels = [(f"{OFFICE}/slide", f"slides/slide{n}.xml") for n in range(1, len(slides) + 1)]
    types = [("/ppt/presentation.xml", f"{OOXML}.presentationml.presentation.main+xml")] + [
        (f"/{name}", f"{OOXML}.presentationml.slide+xml") for name, _ in members
    ] + [CORE_TYPE]
    return make_zip([
        ("[Content_Types].xml", content_types(types)),
        ("_rels/.rels", package_relationships("ppt/presentation.xml")),
        ("ppt/presentation.xml",
         f'{XML}<p:presentation xmlns:p="{show}" xmlns:r="{OFFICE}"><p:sldIdLst>{listing}'
         '</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/>'
         "</p:presentation>"),
        ("ppt/_rels/presentation.xml.rels", relationships(rels)),
        *members,
        ("docProps/core.xml", core_properties(fields)),
    ])


def make_odt(fields, blocks):
    office = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = (f'xmlns:office="{office}:office:1.0" xmlns:text="{office}:text:1.0" '
              f'xmlns:table="{office}:table:1.0" xmlns:meta="{office}:meta:1.0" '
              'xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.2"')
    parts = []
    for kind, content in blocks:
        if kind == "table":
            rows = "".join(
                "<table:table-row>" + "".join(
                    f"<table:table-cell><text:p>{escape(cell)}</text:p></table:table-cell>"
                    for cell in row) + "</table:table-row>"
                for row in content)
            parts.append(f'<table:table><table:table-column '
                         f'table:number-columns-repeated="{len(content[0])}"/>{rows}</table:table>')
        elif kind == "li":
            item = f"<text:list-item><text:p>{escape(content)}</text:p></text:list-item>"
            parts.append(f"<text:list>{item}</text:list>")
        elif kind.startswith("h"):
            parts.append(f'<text:h text:outline-level="{kind[1]}">{escape(content)}</text:h>')
        else:
            parts.append(f"<text:p>{escape(content)}</text:p>")
    mime = "application/vnd.oasis.opendocument.text"
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in (("/", mime), ("content.xml", "text/xml"), ("meta.xml", "text/xml")))
    return make_zip([
        ("mimetype", mime),
        ("content.xml", f"{XML}<office:document-content {spaces}><office:body><office:text>"
                        f'{"".join(parts)}</office:text></office:body></office:document-content>'),
        ("meta.xml", f"{XML}<office:document-meta {spaces}><office:meta>"
                     f'<dc:title>{escape(fields["title"])}</dc:title>'
                     f'<dc:creator>{escape(fields["author"])}</dc:creator>'
                     "</office:meta></office:document-meta>"),
        ("META-INF/manifest.xml", f'{XML}<manifest:manifest xmlns:manifest="{office}:manifest:1.0" '
                                  f'manifest:version="1.2">{entries}</manifest:manifest>'),
    ])


def make_rtf(fields, blocks):
    def encode(text):
        out = []
        for char in text:
            if char in "\\{}":
                out.append("\\" + char)
            elif ord(char) < 128:
                out.append(char)
            else:
                out.append(f"\\u{ord(char)}?")
        return "".join(out)

    lines = [f"{{\\rtf1\\ansi\\ansicpg1252\\deff0{{\\fonttbl{{\\f0 Helvetica;}}}}"
             f'{{\\info{{\\title {encode(fields["title"])}}}{{\\author {encode(fields["author"])}}}}}']
    for kind, text in blocks:
        style = "\\b\\fs28 " if kind.startswith("h") else "\\fs22 "
        lines.append(f"{{\\pard{style}{encode(text)}\\par}}")
    return ("\n".join(lines) + "\n}\n").encode("ascii")


def encode_header(text):
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode('utf-8')).decode('ascii')}?="


def make_eml(fields, body, attachment_name, attachment):
    kind = {"pdf": "application/pdf",
            "docx": f"{OOXML}.wordprocessingml.document"}[attachment_name.rsplit(".", 1)[1]]
    encoded = base64.encodebytes(attachment).decode("ascii").rstrip("\n")
    boundary = "part-" + fields["message-id"].strip("<>").split("@")[0]
    text = f"""From: {fields["from"]}
To: {fields["to"]}
Cc: {fields["cc"]}
Subject: {encode_header(fields["subject"])}
Date: {fields["date"]}
Message-ID: {fields["message-id"]}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

{body}
--{boundary}
Content-Type: {kind}; name="{attachment_name}"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="{attachment_name}"

{encoded}
--{boundary}--
"""
    return text.encode("utf-8")


MAKERS = {"docx": make_docx, "odt": make_odt, "pdf": make_pdf, "pptx": make_pptx, "rtf": make_rtf,
          "xlsx": make_xlsx}


def build(name):
    """The bytes of the document `name`, relative to data/samples."""
    fields, body = read_source(SOURCES / f"{name}.txt")
    form = name.rsplit(".", 1)[1]
    if form != "eml":
        return MAKERS[form](fields, parse_blocks(body))
    attached = fields["attach"]
    path = attached[len("../"):] if attached.startswith("../") else f"mail/{attached}"
    return make_eml(fields, body, path.rsplit("/", 1)[1], build(path))


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = []
    for source in sorted(SOURCES.rglob("*.txt")):
        name = source.relative_to(SOURCES).as_posix()[: -len(".txt")]
        if name in ATTACHMENT_ONLY:
            continue
        target = SAMPLES / name
        made = build(name)
        if check:
            if not target.exists() or target.read_bytes() != made:
                stale.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(made)
            print(f"{len(made):7d}  {name}")
    if stale:
        sys.exit("differs from its source: " + ", ".join(stale))


if __name__ == "__main__":
    main()
