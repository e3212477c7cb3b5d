// @ts-check
// scope.js: what a card or a component has begun and has to end: listeners, timers, frames, observers. Whatever a
// scope starts is undone when it ends, so nothing outlives the thing that it was for.

export class Scope {
  /** @param {() => boolean} alive false once what the scope belongs to is no longer there */
  constructor(alive = () => true) {
    this.alive = alive;
    this.controller = new AbortController();
  }

  get signal() {
    return this.controller.signal;
  }

  get ended() {
    return this.signal.aborted;
  }

  /** Undo everything; a second time changes nothing. */
  end() {
    this.controller.abort();
  }

  /** Do `undo` at the end. @param {() => void} undo */
  onEnd(undo) {
    if (this.ended) undo();
    else this.signal.addEventListener("abort", undo, { once: true });
  }

  /** A scope that ends with this one, or before it. */
  child() {
    const inner = new Scope(this.alive);
    const end = () => inner.end();
    this.onEnd(end);
    inner.onEnd(() => this.signal.removeEventListener("abort", end));
    return inner;
  }

  /** False, and the end, once what the scope belongs to has gone. */
  going() {
    if (!this.ended && !this.alive()) this.end();
    return !this.ended;
  }

  /**
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: any) => void} act
   * @param {AddEventListenerOptions} [options]
   */
  listen(target, type, act, options) {
    if (this.ended) return;
    const heard = (/** @type {Event} */ event) => {
      if (this.going()) act(event);
    };
    target.addEventListener(type, heard, { ...options, signal: this.signal });
  }

  /** @param {number} milliseconds @param {() => void} act */
  timeout(milliseconds, act) {
    const inner = this.child();
    const timer = setTimeout(() => {
      inner.end();
      if (this.going()) act();
    }, milliseconds);
    inner.onEnd(() => clearTimeout(timer));
  }

  /** Once now and then at every frame, as long as it answers true. @param {() => boolean} step */
  frames(step) {
    const tick = () => {
      if (this.going() && step()) requestAnimationFrame(tick);
    };
    tick();
  }

  /** @param {Element} node @param {() => void} act */
  onResize(node, act) {
    const observer = new ResizeObserver(() => {
      if (this.going()) act();
    });
    observer.observe(node);
    this.onEnd(() => observer.disconnect());
  }

  /** At every change of what is inside a node. @param {Element} node @param {() => void} act */
  onChange(node, act) {
    const observer = new MutationObserver(() => {
      if (this.going()) act();
    });
    observer.observe(node, { subtree: true, childList: true, characterData: true });
    this.onEnd(() => observer.disconnect());
  }

  /** Once, when the node comes into sight or near it. @param {Element} node @param {() => void} act */
  onceSeen(node, act) {
    const inner = this.child();
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        inner.end();
        act();
      },
      { rootMargin: "200px" },
    );
    observer.observe(node);
    inner.onEnd(() => observer.disconnect());
  }
}

/** The scope of a component of the page, whose removal nobody announces. @param {Element} element */
export function scopeOf(element) {
  return new Scope(() => element.isConnected);
}
