// @ts-check
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { Scope } from "../../maa/ui/web/scope.js";

/** @param {EventTarget} target @param {string} type */
function count(target, type) {
  return getEventListeners(target, type).length;
}

test("a scope that ends takes its listeners with it", () => {
  const [scope, target] = [new Scope(), new EventTarget()];
  let heard = 0;
  for (let i = 0; i < 3; i++) scope.listen(target, "ring", () => heard++);
  target.dispatchEvent(new Event("ring"));
  assert.deepEqual([heard, count(target, "ring")], [3, 3]);
  scope.end();
  target.dispatchEvent(new Event("ring"));
  assert.deepEqual([heard, count(target, "ring")], [3, 0]);
  scope.listen(target, "ring", () => heard++);
  assert.equal(count(target, "ring"), 0, "it begins nothing any more");
});

test("what belongs to nothing any more ends at the next event", () => {
  let there = true;
  const [scope, target] = [new Scope(() => there), new EventTarget()];
  let heard = 0;
  scope.child().listen(target, "ring", () => heard++);
  scope.listen(target, "ring", () => heard++);
  there = false;
  target.dispatchEvent(new Event("ring"));
  assert.deepEqual([heard, count(target, "ring"), scope.ended], [0, 0, true]);
});

test("a child ends with its parent, and before it without a trace", () => {
  const scope = new Scope();
  let undone = 0;
  for (let i = 0; i < 50; i++) {
    const child = scope.child();
    child.onEnd(() => undone++);
    child.end();
    child.end();
  }
  assert.deepEqual([undone, count(scope.signal, "abort")], [50, 0]);
  const last = scope.child();
  scope.end();
  assert.equal(last.ended, true);
  scope.onEnd(() => undone++);
  assert.equal(undone, 51, "too late is at once");
});

test("timers end with their scope and leave nothing when they have rung", async () => {
  const [scope, other] = [new Scope(), new Scope()];
  let rung = 0;
  scope.timeout(1, () => rung++);
  other.timeout(1, () => rung++);
  other.end();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual([rung, count(scope.signal, "abort")], [1, 0]);
});
