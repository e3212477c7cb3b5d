// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName, slug } from "../../maa/ui/takes/names.js";
import { hashOf, placeOf } from "../../maa/ui/web/address.js";

test("a name of a file has letters, digits and dashes of any script, and no path", () => {
  assert.equal(slug("A dog barks: twice!"), "a-dog-barks-twice");
  assert.equal(slug("../../etc/passwd"), "etc-passwd");
  assert.equal(slug("ein Hündchen, 犬 🐶"), "ein-hündchen-犬");
  assert.equal(slug("…"), "");
  assert.ok(slug("a long sentence about rain that falls on a roof of tin").length <= 48);
  assert.ok(!slug("a long sentence about rain that falls on a roof of tin").endsWith("-"));
});

test("a file is called by its words, seed and number", () => {
  const view = /** @type {any} */ ({ task: "text", seed: 7, number: 2, settings: { prompt: "rain" } });
  assert.equal(fileName(view, "gradio_api/file=/x/make-an-audio_text_7.flac"), "rain_seed-7_take-2.flac");
  assert.equal(fileName({ ...view, settings: {} }, "a.wav"), "make-an-audio_text_seed-7_take-2.wav");
  assert.equal(fileName({ ...view, title: "Kennel" }, "a.wav"), "kennel_seed-7_take-2.wav");
});

test("a link carries settings, and nothing but settings is read from one", () => {
  const settings = { prompt: "ein Hündchen 🐶", seconds: 2.5 };
  assert.deepEqual(placeOf(hashOf("text", settings)), { tab: "text", settings });
  assert.deepEqual(placeOf("#inpaint"), { tab: "inpaint", settings: null });
  assert.deepEqual(placeOf("#text?!!!"), { tab: "text", settings: null });
  assert.deepEqual(placeOf(hashOf("text", /** @type {any} */ ([1]))), { tab: "text", settings: null });
  assert.equal(placeOf("#../x"), null);
  assert.equal(placeOf(""), null);
  assert.deepEqual(placeOf(`#text?${"A".repeat(20000)}`), { tab: "text", settings: null });
});
