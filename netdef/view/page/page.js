"use strict";
(() => {
const net = JSON.parse(document.getElementById("data").textContent);
const svg = document.getElementById("picture");
const world = document.getElementById("world");
const panel = document.getElementById("panel");
const search = document.getElementById("search");
const found = document.getElementById("found");
const NS = "http://www.w3.org/2000/svg";
const CHANGES = {"+": "added", "-": "removed", "~": "changed"};
const BENT = 15, MARGIN = 24, LEAST = 0.02, MOST = 4, FAR = 0.28;

const blockOf = new Array(net.items.length).fill(null);
net.blocks.forEach((block, number) => {
  block.number = number;
  for (let i = block.first; i <= block.last; i++) blockOf[i] = block;
});

let boxes = new Map();    // key -> what is shown: an item by its index, a folded block by "b" + number
let size = {left: 0, top: 0, right: 1, bottom: 1};
let view = {x: 0, y: 0, scale: 1};
let picked = null;
let hits = [], hit = -1;

function make(parent, tag, attributes, text) {
  const element = document.createElementNS(NS, tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

function keyOf(index) {
  const block = blockOf[index];
  return block && block.folded ? "b" + block.number : index;
}

function folded(block) {
  const inside = net.items.slice(block.first, block.last + 1);
  const last = inside[inside.length - 1];
  const layers = inside.reduce((sum, item) => sum + Math.max(item.layers.length, 1), 0);
  const texts = [["▸ " + block.name, "name"],
    [block.about || layers + " layers", ""], [(block.params === "0" ? "" : block.params + " params · ") + "click to open", "dim"]];
  const ranks = inside.map(item => item.rank);
  return {
    key: "b" + block.number, block, texts, labels: last.labels.slice(0, 1).map(l => [0, l[1]]),
    x: last.x, rank: Math.min(...ranks), deep: Math.max(...ranks),
    w: Math.max(...texts.map(t => t[0].length * 7.3)) + 30, h: texts.length * net.line + 12,
    wrong: inside.some(item => item.wrong), change: "", colour: "#495057",
  };
}

function show() {
  boxes = new Map();
  net.items.forEach((item, index) => {
    const block = blockOf[index];
    if (!block || !block.folded) {
      boxes.set(index, Object.assign({key: index, index, deep: item.rank}, item));
    } else if (index === block.first) {
      boxes.set("b" + block.number, folded(block));
    }
  });
  const high = [];
  for (const box of boxes.values()) high[box.rank] = Math.max(high[box.rank] || 0, box.h);
  const rows = [];
  let y = 0;
  for (let rank = 0; rank < high.length; rank++) {
    if (!high[rank]) continue;   // all of it is folded away
    rows[rank] = {top: y, height: high[rank]};
    y += high[rank] + net.gap;
  }
  world.textContent = "";
  size = {left: 0, top: -10, right: 1, bottom: y};
  for (const box of boxes.values()) {
    box.top = rows[box.rank].top;
    size.left = Math.min(size.left, box.x - box.w / 2 - 24);
    size.right = Math.max(size.right, box.x + box.w / 2 + 110);
  }
  net.blocks.forEach(area);
  const drawn = new Set();
  for (const line of net.lines) drawLine(line, rows, drawn);
  for (const [a, b, names] of net.ties) drawTie(boxes.get(keyOf(a)), boxes.get(keyOf(b)), names);
  for (const box of boxes.values()) drawBox(box);
  mark();
  place();
}

function area(block) {
  if (block.folded) return;
  const inside = [];
  for (let i = block.first; i <= block.last; i++) inside.push(boxes.get(i));
  const left = Math.min(...inside.map(b => b.x - b.w / 2)) - 22;
  const right = Math.max(...inside.map(b => b.x + b.w / 2)) + 12;
  const top = Math.min(...inside.map(b => b.top)) - 8;
  const bottom = Math.max(...inside.map(b => b.top + b.h)) + 18;
  const group = make(world, "g", {class: "handle", "data-block": block.number});
  let free = true;
  for (const box of boxes.values()) {
    if (box.index >= block.first && box.index <= block.last) continue;
    const beside = box.x + box.w / 2 < left || box.x - box.w / 2 > right;
    if (!beside && box.top < bottom && box.top + box.h > top) free = false;
  }
  if (free) make(group, "rect", {class: "area", x: left, y: top, width: right - left, height: bottom - top, rx: 8});
  make(group, "text", {class: "block", transform: `translate(${left + 14} ${bottom - 10}) rotate(-90)`}, "▾ " + block.name);
  make(group, "title", {}, "fold " + block.name);
  group.addEventListener("click", () => { if (!moved) setFolded([block], true); });
}

function drawLine([source, port, target, entry, way], rows, drawn) {
  const from = boxes.get(keyOf(source)), to = boxes.get(keyOf(target));
  if (from === to) return;
  const one = from.block !== undefined, two = to.block !== undefined;
  const name = from.key + ">" + to.key + (one ? "" : ">" + port);
  if ((one || two) && drawn.has(name)) return;
  drawn.add(name);
  const stops = [];
  for (let rank = from.rank + 1; rank < to.rank; rank++) {
    if (!rows[rank]) continue;
    const at = rank - net.items[source].rank - 1;   // a folded block stands where its lines were
    const x = at < 0 ? from.x : at < way.length ? way[at] : to.x;
    stops.push([rows[rank], x]);
  }
  let x = from.x + (one ? 0 : port);
  const row = rows[from.rank];
  let d = `M${x} ${from.top + from.h}`, y = row.top + row.height;
  if (row.height > from.h) d += `V${y}`;
  const end = to.x + (two ? 0 : entry);
  stops.push([rows[to.rank], end]);
  stops.forEach(([next, at], number) => {
    const last = number === stops.length - 1, finish = next.top - 2;
    if (at === x) d += `V${last ? finish : next.top + next.height}`;
    else {
      const bend = y + BENT, middle = (bend + finish) / 2;
      d += `V${bend}C${x} ${middle + 6} ${at} ${middle - 6} ${at} ${finish}`;
      if (!last) d += `V${next.top + next.height}`;
    }
    x = at;
    y = next.top + next.height;
  });
  make(world, "path", {class: "line", d, "data-from": from.key, "data-to": to.key});
}

function drawTie(a, b, names) {
  if (!a || !b || a === b) return;
  let d;
  if (a.top === b.top) {
    const [left, right] = a.x < b.x ? [a, b] : [b, a];
    d = `M${left.x + left.w / 2} ${a.top + Math.min(a.h, b.h) / 2}H${right.x - right.w / 2}`;
  } else {
    const [x, y, to, down] = [a.x - a.w / 2, a.top + a.h / 2, b.x - b.w / 2, b.top + b.h / 2];
    const out = Math.min(x, to) - 24;
    d = `M${x} ${y}C${out} ${y} ${out} ${down} ${to} ${down}`;
  }
  make(make(world, "path", {class: "tie", d}), "title", {}, "shared: " + names);
}

function drawBox(box) {
  const left = box.x - box.w / 2;
  const look = ["item", CHANGES[box.change] || "", box.wrong ? "wrong" : ""].join(" ").trim();
  const group = make(world, "g", {class: look, "data-key": box.key});
  if (box.block) make(group, "rect", {class: "box", x: left + 4, y: box.top + 4, width: box.w, height: box.h, rx: 5});
  make(group, "rect", {class: "box", x: left, y: box.top, width: box.w, height: box.h, rx: 5});
  make(group, "rect", {x: left, y: box.top + 3, width: 5, height: box.h - 6, fill: box.colour});
  box.texts.forEach(([text, style], number) =>
    make(group, "text", {class: style, x: left + net.pad + 4, y: box.top + 6 + net.line * (number + 1) - 5}, text));
  for (const [port, label] of box.labels)
    make(group, "text", {class: "shape", x: box.x + port + 6, y: box.top + box.h + 13}, label);
  group.addEventListener("click", () => {
    if (moved) return;
    if (box.block) setFolded([box.block], false);
    else pick(box.index);
  });
  box.group = group;
}

function setFolded(blocks, state) {
  if (!blocks.length) return;
  const index = blocks[0].first;
  const anchor = boxes.get(keyOf(index));
  const before = anchor ? [anchor.x, anchor.top] : null;
  for (const block of blocks) block.folded = state;
  show();
  const after = boxes.get(keyOf(index));
  if (before && after) {   // what was clicked stays under the mouse
    view.x += (before[0] - after.x) * view.scale;
    view.y += (before[1] - after.top) * view.scale;
  }
  place();
}

// The panel.

function add(parent, tag, text, look) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (look) element.className = look;
  parent.appendChild(element);
  return element;
}

function table(rows) {
  const element = add(panel, "table");
  for (const [head, ...cells] of rows) {
    const row = add(element, "tr");
    add(row, "th", head);
    for (const cell of cells) add(row, "td", cell);
  }
}

function links(head, indices) {
  const names = [...new Set(indices)];
  if (!names.length) return;
  const line = add(panel, "p", head + " ");
  names.forEach((index, number) => {
    if (number) line.append(", ");
    const link = add(line, "a", net.items[index].name);
    link.addEventListener("click", () => { reveal(index); pick(index); });
  });
}

function pick(index) {
  picked = index;
  panel.textContent = "";
  panel.hidden = false;
  const item = net.items[index];
  const close = add(panel, "button", "×");
  close.id = "close";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", unpick);
  add(panel, "h2", item.name);
  if (item.change) add(panel, "p", CHANGES[item.change], "warn");
  for (const [severity, code, message, line] of item.problems)
    add(panel, "p", `${severity}[${code}]: ${message}` + (line ? ` (line ${line})` : ""), severity === "error" ? "bad" : "warn");
  for (const note of item.notes) add(panel, "p", note);
  links("reads", net.reads[index]);
  links("read by", net.items.map((_, i) => i).filter(i => net.reads[i].includes(index)));
  if (item.macs) add(panel, "p", item.macs.toLocaleString("en") + " MACs a forward pass");
  for (const layer of item.layers) {
    const kind = [layer.type, layer.settings].filter(Boolean).join(" ");
    add(panel, "h3", layer.name === item.name ? kind : `${layer.name} · ${kind}`);
    if (!layer.known) add(panel, "p", "a type netdef does not know", "bad");
    if (layer.place) add(panel, "p", layer.place, "place");
    table([...layer.bottoms.map(b => ["bottom", ...b]), ...layer.tops.map(t => ["top", ...t])]);
    for (const param of layer.params) {
      table([[param.role, [param.name, param.shape].filter(Boolean).join("  ")],
        ["filler", param.filler], ["lr_mult", param.lr_mult],
        ...(param.decay_mult ? [["decay_mult", param.decay_mult]] : []),
        ...(param.shared.length ? [["shared", param.shared.join(", ")]] : [])]);
    }
    if (layer.source) add(panel, "pre", layer.source);
  }
  mark();
}

function unpick() {
  picked = null;
  panel.hidden = true;
  mark();
}

function mark() {
  for (const box of boxes.values()) {
    const inside = box.block ? hits.some(i => blockOf[i] === box.block) : hits.includes(box.index);
    box.group.classList.toggle("hit", inside);
    box.group.classList.toggle("picked", box.index !== undefined && box.index === picked);
  }
  const key = picked === null ? null : String(keyOf(picked));
  for (const line of world.querySelectorAll(".line"))
    line.classList.toggle("near", key !== null && (line.dataset.from === key || line.dataset.to === key));
}

// Search.

const haystack = net.items.map(item => [item.name, ...item.layers.flatMap(l =>
  [l.name, l.type, ...l.tops.map(t => t[0]), ...l.params.map(p => p.name)])].join("\n").toLowerCase());

search.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  hits = wanted ? net.items.map((_, i) => i).filter(i => haystack[i].includes(wanted)) : [];
  hit = -1;
  found.textContent = !wanted ? "" : hits.length ? `${hits.length} found` : "none";
  if (hits.length) step(1);
  else mark();
});
search.addEventListener("keydown", event => {
  if (event.key === "Enter") {
    step(event.shiftKey ? -1 : 1);
    if (hits.length) pick(hits[hit]);
  }
  if (event.key === "Escape") {
    search.value = "";
    search.dispatchEvent(new Event("input"));
    svg.focus();
  }
});

function step(by) {
  if (!hits.length) return;
  hit = (hit + by + hits.length) % hits.length;
  found.textContent = `${hit + 1} of ${hits.length}`;
  reveal(hits[hit]);
  mark();
}

function reveal(index) {
  const block = blockOf[index];
  if (block && block.folded) setFolded([block], false);
  const box = boxes.get(index);
  const {width, height} = svg.getBoundingClientRect();
  if (view.scale < 0.6) view.scale = 1;
  view.x = width / 2 - box.x * view.scale;
  view.y = height / 2 - (box.top + box.h / 2) * view.scale;
  place();
}

// Zoom and pan.

function place() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  world.classList.toggle("far", view.scale < FAR);   // nobody reads it, and it costs time
}

function fit() {
  const {width, height} = svg.getBoundingClientRect();
  const wide = size.right - size.left + 2 * MARGIN, high = size.bottom - size.top + 2 * MARGIN;
  view.scale = Math.max(LEAST, Math.min(1.2, width / wide, height / high));
  view.x = (width - (size.left + size.right) * view.scale) / 2;
  view.y = Math.max((height - high * view.scale) / 2, 0) + (MARGIN - size.top) * view.scale;
  place();
}

function begin() {   // readable rather than whole: the top of a long net
  fit();
  if (view.scale > 0.55) return;
  const {width} = svg.getBoundingClientRect();
  view.scale = Math.max(0.55, Math.min(1, width / (size.right - size.left + 2 * MARGIN)));
  view.x = (width - (size.left + size.right) * view.scale) / 2;
  view.y = (MARGIN - size.top) * view.scale;
  place();
}

function zoom(factor, x, y) {
  const scale = Math.max(LEAST, Math.min(MOST, view.scale * factor));
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  place();
}

function zoomMiddle(factor) {
  const {width, height} = svg.getBoundingClientRect();
  zoom(factor, width / 2, height / 2);
}

svg.addEventListener("wheel", event => {
  event.preventDefault();
  const {left, top} = svg.getBoundingClientRect();
  const lines = event.deltaMode === 1 ? 20 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - left, event.clientY - top);
}, {passive: false});

const fingers = new Map();
let moved = false, spread = 0, start = null;
svg.addEventListener("pointerdown", event => {
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = false;
  spread = 0;
  start = [event.clientX, event.clientY];
});
window.addEventListener("pointermove", event => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  if (Math.hypot(event.clientX - start[0], event.clientY - start[1]) > 4) moved = true;
  if (fingers.size === 1 && moved) {
    view.x += event.clientX - before[0];
    view.y += event.clientY - before[1];
    svg.classList.add("moved");
    place();
  }
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  if (fingers.size === 2) {
    const [a, b] = [...fingers.values()];
    const apart = Math.hypot(a[0] - b[0], a[1] - b[1]);
    const {left, top} = svg.getBoundingClientRect();
    if (spread) zoom(apart / spread, (a[0] + b[0]) / 2 - left, (a[1] + b[1]) / 2 - top);
    spread = apart;
    moved = true;
  }
});
for (const name of ["pointerup", "pointercancel"])
  window.addEventListener(name, event => {
    fingers.delete(event.pointerId);
    svg.classList.remove("moved");
  });

document.getElementById("in").addEventListener("click", () => zoomMiddle(1.25));
document.getElementById("out").addEventListener("click", () => zoomMiddle(0.8));
document.getElementById("fit").addEventListener("click", fit);
document.getElementById("fold-all").addEventListener("click", () => { setFolded(net.blocks, true); fit(); });
document.getElementById("unfold-all").addEventListener("click", () => { setFolded(net.blocks, false); fit(); });
window.addEventListener("keydown", event => {
  if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = {"/": () => search.focus(), f: fit, "+": () => zoomMiddle(1.25), "=": () => zoomMiddle(1.25),
    "-": () => zoomMiddle(0.8), Escape: unpick};
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

for (const text of net.stray) document.getElementById("totals").append(" · " + text);
if (!net.blocks.length) for (const id of ["fold-all", "unfold-all"]) document.getElementById(id).hidden = true;
show();
begin();
})();
