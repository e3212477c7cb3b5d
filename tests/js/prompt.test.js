// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { added, clauseAt, completed, families, matching, surprise } from "../../maa/ui/web/prompt.js";

/** @type {[string, string][]} */
const SOUNDS = [
  ["dog barking", "animals"],
  ["hot dog sizzling", "household"],
  ["rain", "weather"],
  ["rain on a roof", "weather"],
];

test("the clause at the caret has no joint and no article", () => {
  for (const [text, words] of [
    ["a do", "do"],
    ["rain, then a dog ba", "dog ba"],
    ["first the rai", "rai"],
    ["rain and do", "do"],
    ["sand and", "sand and"],
    ["thunder; hi", "hi"],
    ["", ""],
    ["rain followed by thu", "thu"],
  ]) {
    assert.equal(clauseAt(text, text.length).words, words, text);
  }
  assert.equal(clauseAt("dog, then rain", 3).words, "dog");
});

test("every typed word begins a word of the sound, and the first word counts most", () => {
  const names = (/** @type {string} */ words) => matching(words, SOUNDS, 5).map(([name]) => name);
  assert.deepEqual(names("do"), ["dog barking", "hot dog sizzling"]);
  assert.deepEqual(names("bark do"), ["dog barking"]);
  assert.deepEqual(names("rain"), ["rain", "rain on a roof"]);
  assert.deepEqual(names("dog barking"), [], "it is there already");
  for (const words of ["d", "", "   ", "xyz", "(", ".*", "🐶", "\ud83d", "狗叫"])
    assert.deepEqual(names(words), [], words);
  assert.equal(matching("r", SOUNDS, 5).length, 0);
  assert.equal(matching("ra", SOUNDS, 1).length, 1);
});

test("a sound takes the place of what is typed, and of nothing else", () => {
  assert.deepEqual(completed("rain, then a do", 15, "dog barking"), { text: "rain, then a dog barking", caret: 24 });
  assert.deepEqual(completed("do while it rains", 2, "dog barking"), { text: "dog barking while it rains", caret: 11 });
  assert.equal(added("", "rain"), "rain");
  assert.equal(added("a dog. ", "rain"), "a dog and rain");
});

test("a surprise is a known sound or two", () => {
  const names = SOUNDS.map(([name]) => name);
  const given = [0, 0.3, 0.1];
  assert.equal(
    surprise(SOUNDS, () => given.shift() ?? 0),
    "dog barking",
  );
  for (let k = 0; k < 200; k++) {
    const parts = surprise(SOUNDS, Math.random).split(/ and |, then /);
    assert.ok(parts.length <= 2 && parts.every((part) => names.includes(part)));
  }
});

test("families hold what a search leaves", () => {
  assert.deepEqual(families(SOUNDS, ""), [
    ["animals", ["dog barking"]],
    ["household", ["hot dog sizzling"]],
    ["weather", ["rain", "rain on a roof"]],
  ]);
  assert.deepEqual(families(SOUNDS, "weather roof"), [["weather", ["rain on a roof"]]]);
  assert.deepEqual(families(SOUNDS, "("), families(SOUNDS, ""), "no letters, no search");
  assert.deepEqual(families(SOUNDS, "violin"), []);
});
