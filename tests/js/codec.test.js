// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { base64Of, bytesOf, packed, peaksOf, unpacked } from "../../maa/ui/web/codec.js";

/** @param {number} length */
function some(length) {
  return Uint8Array.from({ length }, (_, i) => (i * 7919) % 256);
}

test("bytes there and back, however many", () => {
  for (const length of [0, 1, 2, 3, 255, 8191, 8192, 8193, 100_000]) {
    const bytes = some(length);
    const text = base64Of(bytes);
    assert.equal(text, Buffer.from(bytes).toString("base64"));
    assert.deepEqual(bytesOf(text), bytes);
  }
});

test("nothing is no bytes", () => {
  assert.equal(bytesOf(null).length, 0);
  assert.equal(bytesOf(undefined).length, 0);
});

test("what is no base64 is no bytes: a history may be damaged", () => {
  for (const text of ["!!", "A", "x", "\ud800", "AAAA=A"]) {
    assert.equal(bytesOf(text).length, 0);
    assert.equal(peaksOf(text).length, 0);
  }
});

test("bits are packed as numpy packs them", () => {
  const cells = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
  assert.deepEqual([...packed(cells)], [0b10000001, 0b11000000]);
});

test("cells there and back, whatever is left over in the last byte", () => {
  for (const length of [1, 7, 8, 9, 80 * 125]) {
    const cells = some(length).map((value) => value & 1);
    assert.deepEqual(unpacked(packed(cells), length), cells);
  }
});

test("peaks have a sign", () => {
  assert.deepEqual([...peaksOf(base64Of(Uint8Array.from([0x81, 0x7f, 0xff, 0])))], [-127, 127, -1, 0]);
});
