"""The page's own files: how modules are joined, what they look like, and that they let go of what they began."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from maa.ui import parts

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*(ROOT / "maa" / "ui").rglob("*.js"), *(ROOT / "tests" / "js").rglob("*.js")])


def node() -> str | None:
    """Node, from beside this Python or from the path."""
    return shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


def joined(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> str:
    """The script of `main.js` of some files, a function's body."""
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    monkeypatch.setattr(parts, "HERE", folder)
    parts.script.cache_clear()
    try:
        return parts.script("main.js")
    finally:
        parts.script.cache_clear()


MAIN = """import {
  one as first,
  Two,
} from "./other.js";
import { deep } from "./deep.js";
// gone
export function start(host) {
  /** @type {any} */ (host).told(first + deep, Two);
}
"""
OTHER = """import { deep } from "./deep.js";
const own = 1;
export const one = own + deep;
export async function later() {}
export class Two {}
"""
DEEP = """/**
 * Gone, too.
 */
const own = 10;
export const deep = own; // stays
"""


def test_modules_are_joined_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = joined(tmp_path, monkeypatch, main=MAIN, other=OTHER, deep=DEEP)
    assert script.count("const own = 10;") == script.count("const own = 1;") == 1
    assert script.index("const own = 10;") < script.index("const own = 1;") < script.index("function start")
    assert "return { one, later, Two };" in script
    assert "import" not in script and "export" not in script
    assert "/** @type {any} */ (host).told" in script, "a cast is no comment"
    assert "gone" not in script.lower()
    assert script.endswith(".start({ element, trigger, props, server, upload, watch });\n")


@pytest.mark.parametrize(
    ("main", "other", "wrong"),
    [
        ('import { a } from "./other.js";\n', 'import { b } from "./main.js";\n', "imports itself"),
        ('import a from "./other.js";\n', "", "not understood"),
        ('import * as a from "./other.js";\n', "", "not understood"),
        ("export default 5;\n", "", "not understood"),
        ("const a = 1;\nexport { a };\n", "", "not understood"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, main: str, other: str, wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        joined(tmp_path, monkeypatch, main=main, other=other)


def test_scripts_are_checked_and_styles_and_scripts_are_no_wider_than_the_rest() -> None:
    assert [path.name for path in SCRIPTS if not path.read_text(encoding="utf-8").startswith("// @ts-check\n")] == []
    wide = [
        f"{path.name}:{number}"
        for path in [*SCRIPTS, *sorted((ROOT / "maa" / "ui").rglob("*.css"))]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert wide == []


def test_only_scopes_listen_to_what_outlives_a_component() -> None:
    """Listeners on the document, on the window and on a media query, and observers, are begun by a scope."""
    lasting = ("document.addEventListener", "window.addEventListener", ").addEventListener(", "Observer(")
    found = [
        f"{path.name}: {word}"
        for path in SCRIPTS
        if path.parent.name != "js" and path.name != "scope.js"
        for word in lasting
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_scripts_alone() -> None:
    """Everything in tests/js, by Node's own runner."""
    runner = node()
    if runner is None:
        assert not os.environ.get("CI"), "no Node here, and CI must not skip the tests of the scripts"
        pytest.skip("needs Node")
    files = [str(path) for path in SCRIPTS if path.name.endswith(".test.js")]
    assert len(files) >= 7
    done = subprocess.run([runner, "--test", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "tests 0" not in done.stdout


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    """The address of this project's files, so that a browser can import its modules as they are."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


COUNTING = """
for (const name of ["ResizeObserver", "IntersectionObserver"]) {
  const watched = new Set();
  window[`all${name}`] = watched;
  window[name] = class extends window[name] {
    observe(...given) { watched.add(this); super.observe(...given); }
    disconnect() { watched.delete(this); super.disconnect(); }
  };
}
window.observers = () => allResizeObserver.size + allIntersectionObserver.size;
"""
LEVELS = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def views(count: int) -> list[dict[str, Any]]:
    """Sounds as a history keeps them; one cell is all that their spectrograms have."""
    drawn = {"url": "data:,", "levels": LEVELS, "seconds": 1, "ticks": [], "facts": []}
    return [
        {"id": str(i), "task": "text", "number": i + 1, "seed": i, "at": i, **drawn, "settings": {"prompt": prompt}}
        for i, prompt in zip(range(count), cycle(("even", "odd")), strict=False)
    ]


class Counted:
    """An empty page that counts what its scripts have begun and not ended."""

    def __init__(self, browser: Any, address: str) -> None:
        self.page = browser.new_page()
        self.page.add_init_script(COUNTING)
        self.page.goto(f"{address}/maa/ui/web/status.html")
        self.page.set_content('<div id="root"><div class="maa-root"></div><div class="painter"></div></div>')
        self.session = self.page.context.new_cdp_session(self.page)

    def listeners(self) -> dict[str, int]:
        """Of the document, the window, the root, and a media query; and observers."""
        counts = {"observers": self.page.evaluate("observers()")}
        for name in ("document", "window", "root"):
            place = self.session.send("Runtime.evaluate", {"expression": name})["result"]["objectId"]
            found = self.session.send("DOMDebugger.getEventListeners", {"objectId": place})
            counts[name] = len(found["listeners"])
        return counts


@pytest.fixture
def counted(browser: Any, files: str) -> Iterator[Counted]:
    one = Counted(browser, files)
    yield one
    one.page.close()


MAKE_CARDS = """async (views) => {
  const { Card } = await import("/maa/ui/takes/card.js");
  const { Scope } = await import("/maa/ui/web/scope.js");
  const scope = window.scope ??= new Scope();
  const host = { trigger() {}, server: {} };
  const place = { host, scope, map: new Uint8Array(768), tasks: {}, compare() {} };
  const cards = views.map((view) => new Card(view, place));
  document.body.append(...cards.map((card) => card.root));
  window.cards = cards;
}"""
DROP_CARDS = "cards.forEach((card) => { card.root.remove(); card.leave(); })"


@pytest.mark.browser
def test_fifty_cards_leave_nothing_behind(counted: Counted) -> None:
    counted.page.evaluate(MAKE_CARDS, views(1))
    counted.page.evaluate(DROP_CARDS)
    before = counted.listeners()
    counted.page.evaluate(MAKE_CARDS, views(50))
    during = counted.listeners()
    assert during["document"] >= before["document"] + 100, "each one listens, or this test counts nothing"
    assert during["observers"] >= before["observers"] + 50
    counted.page.evaluate(DROP_CARDS)
    assert counted.listeners() == before


START = """async ([entry, props]) => {
  const { start } = await import(entry);
  const watch = () => {};
  start({ element: root, props, trigger() {}, server: {}, upload: async () => ({}), watch });
}"""


@pytest.mark.browser
def test_a_history_that_is_searched_does_not_grow(counted: Counted) -> None:
    counted.page.evaluate("views => localStorage.setItem('maa-history', JSON.stringify(views))", views(24))
    counted.page.evaluate(START, ["/maa/ui/takes/history.js", {"colours": "", "tasks": {}}])
    search = counted.page.get_by_label("Search the prompts")
    before = counted.listeners()
    for words in ("odd", "even", "nothing", "") * 5:
        search.fill(words)
    assert counted.page.locator(".take").count() == 24
    now = counted.listeners()
    assert now["document"] == before["document"]
    assert now["observers"] <= before["observers"]


@pytest.mark.browser
@pytest.mark.parametrize("entry", ["takes/takes.js", "takes/history.js", "takes/conductor.js"])
def test_a_component_that_has_gone_lets_go(counted: Counted, entry: str) -> None:
    """Nobody says that it has gone; the next event finds out."""
    before = counted.listeners()
    counted.page.evaluate(START, [f"/maa/ui/{entry}", {"colours": "", "tasks": {}, "task": "text", "hint": ""}])
    during = counted.listeners()
    assert during["document"] > before["document"]
    counted.page.evaluate("root.firstChild.replaceChildren(); window.root = root; root.remove()")
    for event in ("keydown", "dragover", "maa-play"):
        counted.page.evaluate("name => document.dispatchEvent(new CustomEvent(name))", event)
    now = counted.listeners()
    assert (now["document"], now["window"]) == (before["document"], before["window"])
    assert now["observers"] == before["observers"]


ADD_SOUNDS = """count => {
  for (let k = 0; k < count; k++) {
    for (const act of ["add", "copy", "remove", "undo", "remove", "remove"]) {
      root.querySelector(`[data-act=${act}]`).click();
    }
  }
}"""


@pytest.mark.browser
def test_sounds_that_come_and_go_add_no_listener(counted: Counted) -> None:
    empty = counted.listeners()
    counted.page.evaluate("html => { root.innerHTML = html; }", parts.source("lanes/lanes.html"))
    counted.page.evaluate(START, ["/maa/ui/lanes/main.js", {"seconds": 10, "value": None}])
    counted.page.evaluate("() => root.querySelector('[data-act=open]').click()")
    before = counted.listeners()
    counted.page.evaluate(ADD_SOUNDS, 50)
    assert counted.listeners() == before
    counted.page.evaluate("root.firstChild.replaceChildren(); window.root = root; root.remove()")
    counted.page.evaluate("root.click()")
    now = counted.listeners()
    assert now["observers"] == empty["observers"] and now["document"] == empty["document"]
