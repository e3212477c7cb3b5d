"""No accessibility violation beyond Gradio's own. Needs axe-core (`npm pack axe-core`); AXE names its axe.min.js."""

from __future__ import annotations

import os
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.visitor import generate, open_tab, take

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("AXE" not in os.environ, reason="needs axe-core; AXE names axe.min.js"),
]
GRADIOS_OWN = (".playback", "svelte-zxu34v", "upload-container", "toast")  # parts of the page that Gradio draws


def test_no_violation_of_our_own(page: Any) -> None:
    page.add_script_tag(path=os.environ["AXE"])
    page.locator("#text-prompt textarea").fill("rain")
    generate(page, "text")
    take(page, "text", 1).get_by_label("More for Take 1").click()
    take(page, "text", 1).get_by_text("Show the settings").click()
    take(page, "text", 1).get_by_label("Edit Take 1").click()
    found = []
    for name in ("Text", "Image", "Video", "Personalise", "Inpaint", "History"):
        open_tab(page, name)
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        for violation in page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]:
            for node in violation["nodes"]:
                if not any(own in node["html"] + str(node["target"]) for own in GRADIOS_OWN):
                    found.append((name, violation["id"], node["html"][:120]))
    assert found == []
