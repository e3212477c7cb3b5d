// pointer.js: mouse, pen and finger on the picture.

function listenToPointer(desk) {
  const { canvas } = desk;
  let drag = null; // { from, last, value, seeking }

  const at = (event) => {
    const place = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - place.left, event.clientY - place.top];
    return { frame: desk.axes.frameAt(x), band: desk.axes.bandAt(y), below: y > MARGIN.top + desk.axes.height };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!desk.grid || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    const from = at(event);
    if (from.below) {
      drag = { seeking: true };
      desk.player.seek(from.frame * desk.axes.frameSeconds);
      return;
    }
    drag = { from, last: from, value: desk.tool === "erase" || event.altKey ? 0 : 1 };
    desk.marks.caret = null;
    desk.grid.remember();
    if (desk.brushes) {
      desk.grid.stamp(from, desk.axes.radius(desk.bands), drag.value);
      desk.refresh();
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!desk.grid) return;
    const now = at(event);
    desk.readOut(now.below && !drag ? null : now);
    if (drag && drag.seeking) {
      desk.player.seek(now.frame * desk.axes.frameSeconds);
      return;
    }
    const radius = desk.axes.radius(desk.bands);
    desk.marks.brush = desk.brushes && !now.below ? { at: now, radius } : null;
    if (!drag) {
      desk.draw();
    } else if (desk.brushes) {
      desk.grid.stroke(drag.last, now, radius, drag.value);
      drag.last = now;
      desk.refresh();
    } else {
      desk.marks.box = boxBetween(desk, drag.from, now);
      desk.draw();
      desk.tell(`${drag.value ? "Marking" : "Erasing"} ${spanText(desk.axes, desk.marks.box)}`);
    }
  });

  canvas.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const done = drag;
    drag = null;
    desk.marks.box = null;
    if (done.seeking) return;
    if (!desk.brushes) desk.grid.fill(boxBetween(desk, done.from, at(event)), done.value);
    desk.commit();
  });

  const leave = () => { desk.marks.brush = null; desk.readOut(null); desk.draw(); };
  canvas.addEventListener("pointercancel", () => {
    if (drag && !drag.seeking) desk.grid.forget();
    drag = null;
    desk.marks.box = null;
    desk.refresh();
    leave();
  });
  canvas.addEventListener("pointerleave", () => { if (!drag) leave(); });
}

// The cells that a drag touches, as the tool means it.
function boxBetween(desk, from, to) {
  const { frames, mels } = desk.axes;
  const span = (a, b, most) => {
    const first = Math.min(Math.floor(Math.min(a, b)), most - 1);
    return [first, Math.max(first + 1, Math.ceil(Math.max(a, b)))];
  };
  const [first, last] = desk.tool === "frequency" ? [0, frames] : span(from.frame, to.frame, frames);
  const [low, high] = desk.tool === "time" ? [0, mels] : span(from.band, to.band, mels);
  return { first, last, low, high };
}
