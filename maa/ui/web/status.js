const line = element.querySelector(".line");
const bar = element.querySelector(".bar");
const text = element.querySelector(".text");

function show() {
  const value = props.value || { state: "idle", text: "", part: 0 };
  line.dataset.state = value.state;
  bar.style.width = `${100 * value.part}%`;
  if (text.textContent !== value.text) text.textContent = value.text;
}

watch("value", show);
show();
