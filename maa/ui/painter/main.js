// @ts-check
// main.js: the painter comes to life.
import { find } from "../web/dom.js";
import { scopeOf } from "../web/scope.js";
import { Desk } from "./desk.js";
import { listenToFields } from "./fields.js";
import { listenToKeys } from "./keys.js";
import { listenToPointer } from "./pointer.js";

/** @param {import("../web/dom.js").Host} host */
export function start({ element, props, server, watch }) {
  const scope = scopeOf(element);
  const desk = new Desk(scope, find(element, ".painter"), {
    send: (mask) => {
      props.value = { ...props.value, mask };
    },
    multiples: (box) => server.find_multiples({ sound: props.value.sound, box }),
    save: (mask) => server.save_mask({ mels: props.value.mels, frames: props.value.frames, mask }),
  });

  listenToPointer(desk);
  listenToKeys(desk);
  listenToFields(desk);

  scope.listen(element, "click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.tool) desk.choose(button.dataset.tool);
    if (button.dataset.act) desk.act(button.dataset.act);
    if (button.dataset.part && desk.open) desk.listen({ part: button.dataset.part });
  });

  // The picture has no size while its tab is closed; a window on another screen has other pixels.
  scope.onResize(desk.canvas, () => desk.fit());
  scope.listen(window, "resize", () => desk.fit());
  watchPixels(scope, () => desk.fit());
  watch("value", () => desk.load(props.value));
  desk.load(props.value);
  desk.resizeBrush(desk.brush.ms, desk.brush.hertz);
  desk.root.dataset.ready = "true";
}

/**
 * A move to another screen may change the pixels alone, and no resize follows that.
 * @param {import("../web/scope.js").Scope} scope @param {() => void} act
 */
function watchPixels(scope, act) {
  const once = scope.child();
  once.listen(matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`), "change", () => {
    once.end();
    act();
    watchPixels(scope, act);
  });
}
