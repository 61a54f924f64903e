"""What a stranger writes into a plan stays text on every page, and credentials stay out."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.bundle import Contents, as_html, as_markdown, render
from pipelineplan.bundle.escaping import block, code, html, markdown, mermaid, plain
from pipelineplan.documents.redaction import redacted, redacted_tree

# What the report is built of.
TAGS = {
    "a", "article", "b", "body", "caption", "code", "dd", "defs", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "g", "h1", "h2", "h3", "h4", "head", "header", "html",
    "input", "label", "legend", "li", "line", "main", "marker", "meta", "nav", "ol", "p", "path", "pre",
    "rect", "section", "small", "span", "style", "summary", "svg", "table", "tbody", "td", "text", "th",
    "thead", "title", "tr", "ul",
}  # fmt: skip


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "path", "rect", "line", "img", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"path", "rect", "line"}:
            return
        assert self.open.pop() == tag


@pytest.mark.parametrize("which", ["hostile", "orders", "demo", "silent"])
def test_the_page_is_built_of_known_tags_that_close_and_loads_nothing(
    which: str, request: pytest.FixtureRequest
) -> None:
    page = Page()
    page.feed(as_html(request.getfixturevalue(which)))
    page.close()
    assert page.open == []
    assert set(page.tags) <= TAGS
    assert not [
        entry for entry in page.attributes if entry[1].startswith("on") or entry[1] in {"src", "srcset"}
    ]
    links = {value for _, name, value in page.attributes if name in {"href", "xlink:href"}}
    assert links
    assert all(link.startswith("#") for link in links)
    names = [value for _, name, value in page.attributes if name == "id" and not value.startswith("clip")]
    assert {link[1:] for link in links} <= set(names)


def test_the_page_says_that_nothing_may_be_loaded(demo: Contents) -> None:
    text = as_html(demo)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert "@import" not in text
    assert "url(http" not in text


def test_hostile_text_is_shown_and_not_run(hostile: Contents) -> None:
    text = as_html(hostile)
    assert "<script" not in text.lower()
    assert "onerror=alert" in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_hostile_text_is_no_markdown(hostile: Contents) -> None:
    text = as_markdown(hostile)
    assert "<script" not in text
    assert "javascript:" not in text
    assert "\n# not a heading" not in text
    assert "http://" not in text
    assert not re.search(r"(?<!\\)\[link\]", text)
    chart = text[text.index("```mermaid") : text.index("```", text.index("```mermaid") + 3)]
    assert "script" not in chart or "<" not in chart
    assert chart.count("-->") == len(hostile.plan.graph.edges)
    assert chart.count('"') == 2 * (len(hostile.plan.graph.order) + len(hostile.plan.graph.edges))


def test_tables_have_the_same_number_of_cells_in_every_row(hostile: Contents, orders: Contents) -> None:
    for contents in (hostile, orders):
        width = 0
        for line in as_markdown(contents).splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            assert cells in {0, width or cells}
            width = cells


def test_no_credential_reaches_any_file(hostile: Contents) -> None:
    for name, content in render(hostile).items():
        for secret in (b"hunter2hunter2", b"s3cr3t-pw", b"AKIAABCDEFGHIJKLMNOP"):
            assert secret not in content, name
    assert b"[redacted" in render(hostile)["report.md"].replace(b"\\", b"")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://user:pa55word@host/db", "postgres://user:[redacted password]@host/db"),
        ("AKIAIOSFODNN7EXAMPLE here", "[redacted AWS access key] here"),
        ("api_key: 0123456789abcdef", "api_key: [redacted secret]"),
        ("sasl.password='hunter2!'", "sasl.password=[redacted secret]"),
        ("ghp_" + "a" * 36, "[redacted GitHub token]"),
        ("Bearer abcdefghijklmnop.qrst", "Bearer [redacted bearer token]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[redacted private key]"),
    ],
)
def test_what_looks_like_a_credential_is_redacted(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted_tree({"a": [text]}) == {"a": [shown]}


@pytest.mark.parametrize(
    "text",
    [
        "Vault, rotated every 90 days",
        "secrets are kept in Vault",
        "tokens per second: 45_000/s",
        "https://example.org/a:b",
        "the password policy is 90 days",
        "$.security.secrets",
    ],
)
def test_text_that_talks_of_secrets_stays(text: str) -> None:
    assert redacted(text) == text


def test_redaction_does_not_run_away_on_hostile_text() -> None:
    for text in ("password" * 20_000, "a." * 50_000 + "token", "://" + "a" * 100_000, "eyJ" * 40_000):
        assert redacted(text)


ANYTHING = st.text(st.characters(codec="utf-8"), max_size=60) | st.text(
    "<>&\"'`|*_[]()#-+.!~$\\\n\x1b:@/ ab1", max_size=60
)


@given(ANYTHING)
def test_no_text_makes_a_tag_or_leaves_its_attribute(text: str) -> None:
    page = Page()
    page.feed(f'<p title="{html(text)}">{html(text)}</p>')
    page.close()
    assert page.tags == ["p"]
    assert [name for _, name, _ in page.attributes] == ["title"]


@given(ANYTHING)
def test_no_text_leaves_its_cell_its_line_or_its_code_span(text: str) -> None:
    for cell in (markdown(text), code(text)):
        assert "\n" not in cell
        assert "<" not in cell or cell.startswith("`")
        assert not re.search(r"(?<!\\)(?:\\\\)*\|", cell)
    assert '"' not in mermaid(text)
    fence = block(text).split("\n", 1)[0]
    assert fence not in block(text)[len(fence) : -len(fence)]


def test_escaping_says_the_same_in_other_words() -> None:
    assert plain("a\x1b[31mb\x07c\r\nd") == "abc\nd"
    assert markdown("a|b_c `d` <e> $x$ #1") == "a\\|b_c \\`d\\` &lt;e&gt; \\$x\\$ #1"
    assert markdown("- [x] task") == "\\- \\[x\\] task"
    assert markdown("1. list") == "1\\. list"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`") == "`` ` ``"
    assert block("```") == "````\n```\n````"
    assert mermaid('a"]-->b') == "a··--·b"
