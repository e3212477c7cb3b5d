"""No accessibility violation beyond Gradio's own, on every tab with something in it, in light, in dark, on a phone.

Needs axe-core (`npm pack axe-core`); AXE names its axe.min.js.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests import shots
from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import open_tab, take

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("AXE" not in os.environ, reason="needs axe-core; AXE names axe.min.js"),
]
GRADIOS_OWN = (".playback", "svelte-zxu34v", "upload-container", "toast")  # parts of the page that Gradio draws
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .flatMap(({ id, nodes }) => nodes.map(({ html, target }) => [id, html, String(target)]))"""
TABS = ("Text", "Image", "Video", "Personalise", "Inpaint", "Batch", "History")


@pytest.fixture(scope="module")
def desk(browser: Any, server: tuple[str, FakePipeline], inputs: dict[str, Path]) -> Iterator[Any]:
    """A page in which every tab has made something."""
    with Visitor(browser, server[0]) as page:
        page.add_script_tag(path=os.environ["AXE"])
        for tab, acts in shots.TABS:
            open_tab(page, tab)
            for act in acts.values():
                act(page, inputs)
        open_tab(page, "Text")
        take(page, "text", 1).get_by_label("More for Take 1").click()
        take(page, "text", 1).get_by_text("Show the settings").click()
        take(page, "text", 1).get_by_label("Edit Take 1").click()
        yield page


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_no_violation_of_our_own(desk: Any, look: str) -> None:
    desk.evaluate("dark => document.body.classList.toggle('dark', dark)", look == "dark")
    desk.set_viewport_size({"width": 390, "height": 844} if look == "phone" else {"width": 1280, "height": 900})
    found = []
    for name in TABS:
        open_tab(desk, name)
        expect(desk.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        desk.wait_for_timeout(250)  # colours fade into each other
        for rule, html, target in desk.evaluate(RUN):
            if not any(own in html + target for own in GRADIOS_OWN):
                found.append(f"{name}: {rule}: {target}: " + re.sub(r"\s+", " ", html)[:120])
    assert not found, "\n".join(found)
