// @ts-check
// The keys of a batch's table.
import assert from "node:assert/strict";
import test from "node:test";
import { moved } from "../../maa/ui/batch/walk.js";

test("arrows go to the neighbours and stop at the edges", () => {
  assert.equal(moved(4, "ArrowUp", 3, 3), 1);
  assert.equal(moved(4, "ArrowDown", 3, 3), 7);
  assert.equal(moved(4, "ArrowLeft", 3, 3), 3);
  assert.equal(moved(4, "ArrowRight", 3, 3), 5);
  assert.equal(moved(2, "ArrowRight", 3, 3), 2);
  assert.equal(moved(7, "ArrowDown", 3, 3), 7);
});

test("Home and End, and what means nothing", () => {
  assert.equal(moved(4, "Home", 3, 3), 3);
  assert.equal(moved(4, "End", 3, 3), 5);
  assert.equal(moved(4, "PageDown", 3, 3), 7);
  assert.equal(moved(40, "Home", 100, 1), 0);
  assert.equal(moved(40, "End", 100, 1), 99);
  assert.equal(moved(4, "a", 3, 3), null);
});
