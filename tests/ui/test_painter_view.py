"""The painter's view and ear: zoom, screens of all kinds, long sounds, playing parts, masks as files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from maa.audio.mask import Box, from_boxes
from maa.audio.maskfile import read_mask, write_mask
from tests.sounds import sine_wave
from tests.ui.fakes import FakePipeline
from tests.ui.hand import FRAMES, SPEC, Hand, cells, sit_down

pytestmark = pytest.mark.browser


def point_read_back(hand: Hand, rng: np.random.Generator, frames: int = FRAMES) -> None:
    """One touch of the thinnest brush at random places: within a band, and a frame or half a CSS pixel."""
    first, last = hand.view()
    pixel = (last - first) / (hand.canvas.bounding_box()["width"] - 64)  # frames
    for _ in range(4):
        at = (rng.uniform(first + 0.2, last - 0.2), rng.uniform(0.2, SPEC.mels - 0.2))
        hand.act("Clear")
        hand.drag(at, at, steps=1)
        count, box = hand.shown()
        left, right, low, high = map(int, box.split())
        assert count == 1
        assert abs(0.5 * (left + right) - at[0]) <= max(1, 0.5 + 0.5 * pixel)
        assert abs(0.5 * (low + high) - at[1]) <= 1


@pytest.mark.parametrize(
    ("zoom", "density", "dark"),
    [(0.5, 1, False), (0.5, 2, True), (1.0, 1, True), (1.0, 2, False), (1.5, 1, False), (1.5, 2, True)],
)
def test_a_stroke_lands_where_it_is_drawn(seat: Hand, zoom: float, density: int, dark: bool) -> None:
    """At any browser zoom, on any screen. Zoom means fewer CSS pixels with more device pixels each."""
    session = seat.page.context.new_cdp_session(seat.page)
    metrics = {"width": round(1280 / zoom), "height": round(900 / zoom), "deviceScaleFactor": density * zoom}
    session.send("Emulation.setDeviceMetricsOverride", {**metrics, "mobile": False})
    seat.page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    try:
        seat.canvas.scroll_into_view_if_needed()
        wanted = f"c => Math.abs(c.width / c.getBoundingClientRect().width - {density * zoom}) < 0.02"
        told = "window.dispatchEvent(new Event('resize'))"  # emulation does not always send it
        seat.page.wait_for_function(f"{told}, ({wanted})(document.querySelector('#inpaint-painter canvas'))")
        seat.choose("brush")
        seat.type("ms", 1)
        seat.type("hertz", 1)
        point_read_back(seat, np.random.default_rng(round(10 * zoom) + density))
    finally:
        session.send("Emulation.clearDeviceMetricsOverride")
        seat.page.evaluate("document.body.classList.remove('dark')")


def test_zoom_and_pan(hand: Hand) -> None:
    hand.act("Zoom in")
    hand.act("Zoom in")
    first, last = hand.view()
    assert last - first == pytest.approx(FRAMES / 1.6**2, abs=0.1)
    hand.drag((first + 10.5, 10.5), (first + 19.5, 19.5))
    assert hand.shown()[0] in (100, 110), "ten frames or, when the view begins within one, eleven"
    hand.canvas.hover()
    hand.page.keyboard.down("Shift")
    hand.page.mouse.wheel(0, 200)
    hand.page.keyboard.up("Shift")
    expect(hand.root).not_to_have_attribute("data-view", f"{first:.2f} {last:.2f}")
    moved = hand.view()
    assert moved[1] - moved[0] == pytest.approx(last - first, abs=0.05) and moved[0] > first
    hand.page.keyboard.down("Control")
    hand.page.mouse.wheel(0, 300)
    hand.page.keyboard.up("Control")
    hand.canvas.focus()
    hand.page.keyboard.press("End")
    assert hand.view()[1] == pytest.approx(FRAMES, abs=0.01)
    hand.page.keyboard.press("0")
    assert hand.view() == (0, FRAMES)


def test_gain_and_range_change_the_picture_only(hand: Hand) -> None:
    def picture() -> int:
        script = "document.querySelector('#inpaint-painter canvas').toDataURL().length"
        return int(hand.page.evaluate(script))

    before = picture()
    hand.root.locator("[name=range]").fill("30")
    narrow = picture()
    hand.root.locator("[name=gain]").fill("20")
    assert len({before, narrow, picture()}) == 3
    hand.root.locator("[name=gain]").fill("0")
    hand.root.locator("[name=range]").fill("80")
    assert picture() == before and hand.shown()[0] == 0


PARTS = """async (part) => {
  const sent = [];
  const make = AudioContext.prototype.createBufferSource;
  AudioContext.prototype.createBufferSource = function () {
    const node = make.call(this); sent.push(node); return node;
  };
  const root = document.querySelector('#inpaint-painter');
  root.querySelector(`[data-part=${part}]`).click();
  root.querySelector('[data-act=play]').click();
  while (!sent.length || !sent[sent.length - 1].buffer) await new Promise((next) => setTimeout(next, 30));
  const node = sent[sent.length - 1];
  const wave = node.buffer.getChannelData(0);
  const rms = (a, b) => {
    let sum = 0;
    const [i, j] = [a, b].map((second) => Math.round(second * node.buffer.sampleRate));
    for (let k = i; k < j; k++) sum += wave[k] * wave[k]; return Math.sqrt(sum / (j - i)); };
  await new Promise((next) => setTimeout(next, 60));
  AudioContext.prototype.createBufferSource = make;
  const found = { inside: rms(0.7, 1.2), outside: rms(0.1, 0.4), loop: [node.loop, node.loopStart, node.loopEnd] };
  root.querySelector('[data-act=play]').click();
  return found;
}"""


def test_hearing_what_is_marked_and_the_rest(hand: Hand) -> None:
    """The sound is a tone of 1 kHz; 0.5 to 1.4 s are marked, first around the tone's pitch, then beside it."""
    for name, value in (("start", 0.5), ("end", 1.4), ("low", 700), ("high", 1400)):
        hand.type(name, value)
    level = 0.5 / np.sqrt(2)
    every, marked, rest = (hand.page.evaluate(PARTS, part) for part in ("all", "marked", "rest"))
    assert every["inside"] == pytest.approx(level, rel=0.02)
    assert marked["inside"] == pytest.approx(level, rel=0.03) and marked["outside"] < 0.01 * level
    assert rest["inside"] < 0.03 * level and rest["outside"] == pytest.approx(level, rel=0.02)
    hand.type("low", 3000)
    hand.type("high", 6000)
    hand.type("low", 3000)
    beside = hand.page.evaluate(PARTS, "marked")
    assert beside["inside"] < 0.02 * level
    hand.root.locator("[data-act=loop]").click()
    looped = hand.page.evaluate(PARTS, "all")
    assert looped["loop"][0] is True and looped["loop"][1:] == pytest.approx([0.0, 1.904], abs=0.02)
    hand.root.locator("[data-act=loop]").click()


def test_the_play_head_moves(hand: Hand) -> None:
    hand.act("Play")
    expect(hand.root.get_by_role("button", name="Pause")).to_be_visible()
    hand.act("Pause")
    expect(hand.root.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_mask_is_saved_and_loaded(hand: Hand, tmp_path: Path) -> None:
    """The saved picture is the library's; a loaded one is a step that undo takes back."""
    hand.drag((20.5, 10.5), (59.5, 29.5))
    with hand.page.expect_download() as waiting:
        hand.act("Save the mask")
    saved = tmp_path / "mask.png"
    waiting.value.save_as(saved)
    assert np.array_equal(read_mask(saved, SPEC, FRAMES), cells(20, 60, 10, 30))
    assert read_mask(saved, SPEC, 200)[10:30, 20:60].all(), "it carries its scale"
    other = from_boxes([Box(0.1, 0.3, 500, 900)], SPEC, FRAMES)
    write_mask(tmp_path / "other.png", other, SPEC)
    with hand.page.expect_file_chooser() as choosing:
        hand.page.locator("#inpaint-load").click()
    choosing.value.set_files(tmp_path / "other.png")
    expect(hand.root).to_have_attribute("data-count", str(other.sum()))
    hand.act("Undo")
    assert hand.shown() == (40 * 20, "20 60 10 30")


HEARD = """() => {
  const heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...given) {
    heard.push({ begins: given[1], wave: this.buffer.getChannelData(0) });
    return start.apply(this, given);
  };
  window.heard = () => {
    const [a, b, change] = heard.slice(-3);
    let far = 0;
    change.wave.forEach((value, i) => { far = Math.max(far, Math.abs(value - (b.wave[i] - (a.wave[i] || 0)))); });
    return { far, begins: [a, b, change].map((one) => one.begins) };
  };
}"""


def test_an_edit_is_compared_with_its_source_at_once(hand: Hand) -> None:
    """Wiped from before to after, subtracted, and heard around the edit: either of both, and what they differ by."""
    hand.drag((80.5, 10.5), (99.5, 29.5))
    hand.sent()
    root = hand.page.locator("#inpaint-takes .compare")
    expect(root).to_be_visible()
    expect(root).to_have_attribute("data-loaded", re.compile(r"\d+"))
    assert root.get_by_label("First sound").locator("option:checked").inner_text() == "Your sound"
    assert root.get_by_label("Second sound").locator("option:checked").inner_text() == "Take 1"
    canvas, wipe = root.locator("canvas"), root.get_by_label("Wipe between both sounds")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    hand.page.mouse.move(box["x"] + 60, box["y"] + 50)
    hand.page.mouse.down()
    hand.page.mouse.move(box["x"] + 46 + 0.25 * (box["width"] - 56), box["y"] + 50, steps=4)
    hand.page.mouse.up()
    assert float(wipe.input_value()) == pytest.approx(25, abs=0.6)
    quarter = canvas.evaluate("canvas => canvas.toDataURL()")
    wipe.press("End")
    assert canvas.evaluate("canvas => canvas.toDataURL()") != quarter
    root.get_by_role("button", name="Difference").click()
    expect(wipe).to_be_hidden()
    root.get_by_role("button", name="Wipe").click()
    expect(wipe).to_be_visible()
    hand.page.evaluate(HEARD)
    root.get_by_label("Play both").click()
    expect(root.get_by_label("Pause (space)")).to_be_visible()
    heard = hand.page.evaluate("window.heard()")
    assert heard["far"] < 1e-6, "the third sound is what the second has and the first has not"
    assert heard["begins"] == pytest.approx([0.28] * 3, abs=0.01), "a second before the edit"
    root.get_by_role("button", name="B − A").click()
    expect(root.get_by_role("status")).to_have_text(re.compile("Hearing the difference"))
    root.get_by_role("button", name="A", exact=True).click()
    expect(root.get_by_role("status")).to_have_text("Hearing A. A as it is, B as it is.")
    root.get_by_label("Pause (space)").click()


def test_presets(hand: Hand) -> None:
    hand.page.locator("#inpaint-prompt textarea").fill("thunder")
    hand.page.locator("#inpaint-remove").click()
    expect(hand.page.locator("#inpaint-prompt textarea")).to_have_value("")
    hand.page.locator("#inpaint-replace").click()
    expect(hand.page.locator("#inpaint-prompt textarea")).to_be_focused()


def test_a_long_sound(page: Any, fake: FakePipeline, tmp_path: Path) -> None:
    """Three minutes: all of it in view, then any part of it; what is drawn lands there."""
    soundfile.write(tmp_path / "long.wav", sine_wave(500, 180.0, 8000)[0], 8000)
    hand = sit_down(page, fake, tmp_path / "long.wav")
    frames = 11_250
    assert hand.view() == (0, frames)
    hand.choose("brush")
    hand.type("ms", 1)
    hand.type("hertz", 1)
    rng = np.random.default_rng(0)
    point_read_back(hand, rng, frames)
    hand.canvas.focus()
    for _ in range(9):
        hand.page.keyboard.press("+")
    hand.page.keyboard.press("End")
    assert hand.view()[1] == pytest.approx(frames, abs=0.01) and hand.view()[0] > frames - 200
    point_read_back(hand, rng, frames)


def test_on_a_phone_by_touch(phone: Any, fake: FakePipeline, tmp_path: Path) -> None:
    """It opens on the first seconds; one finger draws, two move."""
    soundfile.write(tmp_path / "ten.wav", sine_wave(500, 10.0)[0], 16_000)
    hand = sit_down(phone, fake, tmp_path / "ten.wav")
    expect(hand.root).to_have_attribute("data-view", "0.00 250.00")  # 4 s
    touch = phone.context.new_cdp_session(phone).send
    for kind, point in (("touchStart", (20.5, 10.5)), ("touchMove", (40, 20)), ("touchMove", (59.5, 29.5))):
        x, y = hand.place(point)
        touch("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert hand.shown() == (40 * 20, "20 60 10 30")
    left, right = hand.place((100, 40)), hand.place((200, 40))
    for step in range(5):
        points = [{"x": x - 15 * step, "y": y, "id": k} for k, (x, y) in enumerate((left, right))]
        touch("Input.dispatchTouchEvent", {"type": "touchMove" if step else "touchStart", "touchPoints": points})
    touch("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert hand.view()[0] > 20 and hand.shown()[0] == 40 * 20, "two fingers do not draw"
    hand.choose("brush")
    hand.type("ms", 1)
    hand.type("hertz", 1)
    point_read_back(hand, np.random.default_rng(1), 625)
    ratio = "(c => c.width / c.getBoundingClientRect().width)(document.querySelector('#inpaint-painter canvas'))"
    assert phone.evaluate(ratio) == pytest.approx(3, abs=0.05)
