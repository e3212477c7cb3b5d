// pointer.js: mouse, pen and finger on the picture. Two fingers, or the wheel with Ctrl or Shift, move what is in view.

function listenToPointer(desk) {
  const { canvas } = desk;
  const fingers = new Map(); // pointer id -> x, y
  let drag = null; // what the hand is doing: { kind, ... }

  const at = (event) => {
    const place = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - place.left, event.clientY - place.top];
    return { x, y, frame: desk.axes.frameAt(x), band: desk.axes.bandAt(y), below: y > MARGIN.top + desk.axes.height };
  };
  const slack = (event) => (event.pointerType === "touch" ? 14 : 6);

  const begin = (event, from) => {
    if (from.below) {
      if (desk.axes.zoomed && from.y >= desk.axes.thumb().top - 3) return { kind: "scroll", from, start: desk.axes.from };
      seek(from);
      return { kind: "seek" };
    }
    const erasing = desk.tool === "erase" || event.altKey;
    const grip = erasing || desk.brushes || desk.tool === "lasso" ? null : grab(from, slack(event));
    desk.grid.remember();
    if (grip) return { kind: "grip", grip, from, box: { ...desk.grid.box } };
    const value = erasing ? 0 : 1;
    if (desk.tool === "lasso") return { kind: "lasso", value, points: [from] };
    if (!desk.brushes) return { kind: "box", value, from };
    desk.grid.put(stroke(desk.axes, from, from, desk.brush), value);
    return { kind: "brush", value, last: from };
  };

  // A handle of the active box; or another box whose edge or inside lies here.
  const grab = (from, reach) => {
    const { grid, axes } = desk;
    for (const index of [grid.active, ...grid.boxes.map((_, k) => k).reverse()]) {
      const box = grid.boxes[index];
      const grip = box && gripOf(axes, box, from.x, from.y, reach);
      if (!grip) continue;
      grid.active = index;
      if (box.low === 0 && box.high === axes.mels && desk.tool === "time") grip.top = grip.bottom = false;
      return grip;
    }
    return null;
  };

  const seek = (now) => {
    const seconds = now.frame * desk.axes.frameSeconds;
    if (desk.player.playing) desk.play(seconds); else { desk.player.at = seconds; desk.draw(); }
  };

  const proceed = (now) => {
    const { axes, grid, marks } = desk;
    if (drag.kind === "scroll") {
      axes.show(drag.start + ((now.x - drag.from.x) / axes.width) * axes.frames, axes.shown);
      desk.look();
    } else if (drag.kind === "seek") seek(now);
    else if (drag.kind === "grip") {
      const box = dragged(axes, drag.box, drag.grip, Math.round(now.frame - drag.from.frame), Math.round(now.band - drag.from.band));
      grid.moveBox(box);
      desk.refresh();
    } else if (drag.kind === "brush") {
      grid.put(stroke(axes, drag.last, now, desk.brush), drag.value);
      drag.last = now;
      desk.refresh();
    } else if (drag.kind === "lasso") {
      drag.points.push(now);
      marks.lasso = drag.points;
      desk.draw();
    } else {
      marks.box = boxBetween(axes, desk.tool, drag.from, now);
      desk.draw();
      desk.tell(`${drag.value ? "Marking" : "Erasing"} ${spanText(axes, marks.box)}`);
    }
  };

  const finish = (now) => {
    const { axes, grid } = desk;
    if (drag.kind === "lasso") grid.put(insideOf(axes, drag.points), drag.value);
    if (drag.kind === "box") {
      const box = boxBetween(axes, desk.tool, drag.from, now);
      if (drag.value) grid.addBox(box); else grid.putBox(box, 0);
    }
    if (drag.kind !== "scroll" && drag.kind !== "seek") desk.commit();
  };

  const abandon = () => {
    if (drag && drag.kind !== "scroll" && drag.kind !== "seek") desk.grid.forget();
    drag = null;
    desk.marks.box = desk.marks.lasso = null;
  };

  // Two fingers: what lay under each stays under it.
  const pinch = (event) => {
    const before = [...fingers.values()].map((finger) => finger.x);
    fingers.set(event.pointerId, at(event));
    const after = [...fingers.values()].map((finger) => finger.x);
    const wide = (pair) => Math.max(24, Math.abs(pair[1] - pair[0]));
    desk.axes.pan((((before[0] + before[1]) - (after[0] + after[1])) / 2 / desk.axes.width) * desk.axes.shown);
    desk.axes.zoom(wide(after) / wide(before), (after[0] + after[1]) / 2);
    desk.look();
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!desk.grid || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    const from = at(event);
    if (event.pointerType === "touch") fingers.set(event.pointerId, from);
    if (fingers.size === 2) { abandon(); desk.refresh(); return; }
    if (fingers.size > 2) return;
    desk.marks.caret = null;
    drag = begin(event, from);
    if (drag.kind === "brush") desk.refresh(); else desk.draw();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!desk.grid) return;
    if (fingers.size >= 2) { if (fingers.has(event.pointerId)) pinch(event); return; }
    const now = at(event);
    desk.readOut(now.below && !drag ? null : now);
    const shown = desk.brushes && !now.below;
    desk.marks.brush = shown ? { at: now, far: reach(desk.axes, now, desk.brush) } : null;
    if (drag) proceed(now); else { point(now); desk.draw(); }
  });

  // The cursor says what a press would do.
  const point = (now) => {
    const grip = !desk.brushes && desk.tool !== "lasso" && desk.grid.box && !now.below ? gripOf(desk.axes, desk.grid.box, now.x, now.y, 6) : null;
    const [across, along] = grip ? [grip.left || grip.right, grip.top || grip.bottom] : [false, false];
    const corner = grip && grip.left === grip.top ? "nwse-resize" : "nesw-resize";
    canvas.style.cursor = !grip ? (now.below ? "pointer" : "crosshair") : across && along ? corner : across ? "ew-resize" : along ? "ns-resize" : "move";
  };

  const up = (event) => {
    const second = fingers.size >= 2;
    fingers.delete(event.pointerId);
    if (!drag || second) return;
    const done = at(event);
    finish(done);
    drag = null;
    desk.marks.box = desk.marks.lasso = null;
    desk.draw();
  };
  canvas.addEventListener("pointerup", up);

  const leave = () => { desk.marks.brush = null; desk.readOut(null); desk.draw(); };
  canvas.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    abandon();
    desk.refresh();
    leave();
  });
  canvas.addEventListener("pointerleave", () => { if (!drag) leave(); });

  canvas.addEventListener("wheel", (event) => {
    if (!desk.grid) return;
    const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) desk.axes.zoom(Math.exp(-event.deltaY / 300), at(event).x);
    else if (Math.abs(across) > 0 && desk.axes.zoomed) desk.axes.pan((across / desk.axes.width) * desk.axes.shown);
    else return; // the page scrolls
    event.preventDefault();
    desk.look();
  }, { passive: false });
}
