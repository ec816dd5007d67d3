"""More than five hundred names that no artifact may have, by what is wrong with them, and some that it may."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

DEVICES = ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$")
PORTS = tuple(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³")
INVISIBLE = (
    "\u00a0", "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u180b", "\u180e", "\u1680", "\u2000",
    "\u2003", "\u2009", "\u200a", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a",
    "\u202b", "\u202c", "\u202d", "\u202e", "\u202f", "\u205f", "\u2060", "\u2062", "\u2066", "\u2067", "\u2068",
    "\u2069", "\u206a", "\u2800", "\u3000", "\u3164", "\ue000", "\ufe00", "\ufeff", "\uffa0", "\ufff9", "\ud83c",
    "\udfff", "\uffff", "\U000e0001", "\U000e0041", "\U000e0100", "\U000f0000", "\U0010ffff",
)  # fmt: skip
SEPARATORS = ("/", "\\", "∕", "⁄", "／", "＼", "⧸", "⧹", "╱", "╲", "﹨", "⟋")
SHELL = (
    "$(x)", "`x`", "$x", "${x}", "a;b", "a&b", "a|b", "a>b", "a<b", "a*b", "a?b", 'a"b', "a'b", "a!b", "a%b",
    "%TEMP%", "%2e%2e", "%2e%2e%2fx", "%00", "%s", "%n", "a:b", "C:", "C:x", "x.txt:stream", "x::$DATA",
    "~", "~root", "~/x", "-x", "--help", "-rf", "+x", "=cmd", "@file", "#x", "^x", "{a,b}", "file:x",
)  # fmt: skip
DOTS = (
    ".", "..", "...", "....", ".x", "..x", ".lock", ".git", ".bashrc", ".env", ".plan.md.tmp", "x.", "x..", "x. ",
    "x ", " x", "  ", " ", " .", ". .", "x .", "．", "．．", "‥", "…", "x…", "．x", "․․", "a  b",
)  # fmt: skip
PATHS = (
    "../x", "../../x", "a/../x", "a/../../x", "/etc/x", "/etc/passwd", "//x", "/", "./x", "a/", "a/.", "a/..", "..\\x",
    "..\\..\\x", "\\\\host\\x", "\\\\?\\C:\\x", "\\\\.\\COM1", "C:\\x", "C:/x", "a//b", "..;/x", "....//x", "..%2fx",
    "..%5cx", "%2e%2e/x", "%252e%252e", "..%c0%afx", "..％２ｆx", "．．／x", "．．＼x", "..／x", "a／b", "/proc/self/mem",
    "/dev/tcp/x/1", "~/.ssh/id_rsa", "file:///etc/passwd", "run.lock/x", "../summary.json", "../run.lock",
)  # fmt: skip
LONG = (
    "x" * 201,
    "x" * 300,
    "x" * 70_000,
    "ü" * 101,
    "図" * 67,
    "🚀" * 51,
    "e\u0301" * 100,
    "x" * 197 + ".txt",
)
UNCOMPOSED = (
    "re\u0301sume\u0301.txt",
    "a\u030a.md",
    "u\u0308.md",
    "\u1112\u1161\u11ab.md",
    "\u212b.md",
    "\u2126.md",
)
MARKS = ("\u0301x", "x" + "\u0335" * 9, "x" + "\u0335" * 100, "\u0903x", "a" + "\u0489" * 12 + ".md")

ORDINARY = (
    "plan.md", "patch.diff", "test results (2).log", "Übersicht 2.md", "résumé.txt", "図.png", "計画書.md", "план.md",
    "σχέδιο.md", "خطة.md", "תוכנית.md", "योजना.md", "แผน.md", "한글 문서.md", "x", "X", "0", "_private.txt",
    "a_b-c.d+e,f=g@h.tar.gz", "C#.md", "notes [draft].md", "a {b}.md", "(1).md", "x~", "v1.2.3", "🚀 plan.md",
    "⚠️ notes.md", "e=mc².md", "½ done.md", "ｆｕｌｌ.md", "ﬁnal.md", "plan….md", "naïve – long—dash.md", "Nul pointer.md",
    "console.log", "com.md", "auxiliary.txt", "COM10.txt", "lock", "run.lock", "events.jsonl", "x" * 200, "ü" * 100,
)  # fmt: skip


def hostile_names() -> Iterator[str]:
    """Every one of them, each once."""
    seen: set[str] = set()
    for name in _all():
        if name not in seen:
            seen.add(name)
            yield name


def _all() -> Iterator[str]:
    yield ""
    yield from (*SHELL, *DOTS, *PATHS, *LONG, *UNCOMPOSED, *MARKS)
    for device in (*DEVICES, *PORTS):
        yield from (
            device,
            device.lower(),
            f"{device}.txt",
            f"{device.title()}.tar.gz",
            f"{device} .md",
            f"{device}. ",
        )
    for control in (*map(chr, range(32)), "\x7f", *map(chr, range(0x80, 0xA0))):
        yield from (f"a{control}b", f"{control}x", f"x{control}")
    for sign, form in product((*INVISIBLE, *SEPARATORS), ("a{}b", "{}x")):
        yield form.format(sign)
