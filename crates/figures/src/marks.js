// Marks of the drawing script: their colours on both grounds, the legend, those under the pointer, keys, the wheel, and other
// scales of the axes.
"use strict";
// Colours that Rust writes are those on white; each has one for a dark ground.
const recoloured = (part, pairs, theme) => {
  const of = new Map(pairs);
  const one = (color) => (theme === "dark" && typeof color === "string" ? of.get(color) ?? color : color);
  // The colours of numbers: each end has a contrast to both grounds.
  const scale = theme === "dark" ? [[0, "#5b8fb9"], [0.5, "#b8a2ef"], [1, "#ffd0a8"]] : [[0, "#5b8fb9"], [0.5, "#6a51a3"], [1, "#8b0a3a"]];
  const style = (thing) => (thing ? { ...thing, ...("color" in thing ? { color: one(thing.color) } : {}),
    ...(Array.isArray(thing.color) ? { colorscale: scale } : {}),
    ...(thing.line ? { line: { ...thing.line, color: one(thing.line.color) } } : {}) } : thing);
  const data = part.data.map((trace) => {
    // The colour of a heat map stands for a number: the more rows, the farther from the ground.
    if (trace.type === "heatmap") return { ...trace, colorscale: scale };
    return { ...trace, ...(trace.marker ? { marker: style(trace.marker) } : {}), ...(trace.line ? { line: style(trace.line) } : {}),
      ...(trace.fillcolor ? { fillcolor: one(trace.fillcolor) } : {}) };
  });
  const layout = { ...part.layout };
  if (layout.shapes) layout.shapes = layout.shapes.map((shape) => style(shape));
  if (layout.annotations) layout.annotations = layout.annotations.map((label) => ({ ...label, font: style(label.font) }));
  return [data, layout];
};

// The legend is made of buttons beside the figure, so that it covers nothing, wraps, and can be reached by keys.
const SYMBOLS = { circle: "●", diamond: "◆", x: "✖", square: "■", "triangle-up": "▲", cross: "✚", star: "★" };
const addLegend = (part, redraw) => {
  const series = part.data.filter((trace) => trace.showlegend === true && trace.name !== undefined);
  part.layout.showlegend = false;
  if (!series.length) return;
  const title = plain(part.layout.legend?.title?.text);
  const box = element("div", "", { className: "legend" });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", title ? `Legend: ${title}` : "Legend");
  if (title) box.append(element("span", title, { className: "title" }));
  part.symbols = [];
  for (const trace of series) {
    const button = box.appendChild(element("button", "", { type: "button", title: "Shows or hides it" }));
    const symbol = button.appendChild(element("span", SYMBOLS[trace.marker?.symbol] ?? "■", { className: "symbol" }));
    symbol.setAttribute("aria-hidden", "true");
    part.symbols.push([symbol, trace.marker?.color ?? trace.line?.color]);
    button.append(element("span", plain(trace.name), { className: "name" }));
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isOn));
      for (const other of part.data) if (other.name === trace.name) other.visible = isOn;
      part.marks = undefined;
      redraw(part);
    });
  }
  part.place.before(box);
};
const paintLegend = (part, pairs, theme) => {
  const of = new Map(pairs);
  for (const [symbol, color] of part.symbols ?? []) symbol.style.color = typeof color === "string" ? (theme === "dark" ? of.get(color) ?? color : color) : "";
};

// A name of at most this width. Of an account or a path its last part stays, which tells more than its domain or its folder.
const ruler = document.createElement("canvas").getContext("2d");
const fitting = (text, { size, family }, width) => {
  ruler.font = `${size}px ${family}`;
  const fits = (name) => ruler.measureText(name).width <= width;
  const whole = plain(text);
  if (fits(whole)) return text;
  const last = whole.split(/[\\/]/).at(-1);
  const name = last && last !== whole ? `…${last}` : whole;
  const letters = [...name];
  while (letters.length > 1 && !fits(`${letters.join("")}…`)) letters.pop();
  const short = fits(name) ? name : `${letters.join("")}…`;
  return short.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
};

// The row of each mark of a trace, if its marks are rows.
const rowsOf = (trace) => trace.ids ?? trace.rows;
// All marks with their places on the axes' own scales, once for each drawing.
const marksOf = (part) => {
  if (part.marks) return part.marks;
  const axes = part.place._fullLayout;
  const marks = [];
  for (const trace of part.data) {
    const ids = rowsOf(trace);
    if (!ids || trace.visible === false || trace.type === "box") continue;
    const [xaxis, yaxis] = [axes[(trace.xaxis ?? "x").replace("x", "xaxis")], axes[(trace.yaxis ?? "y").replace("y", "yaxis")]];
    const on = (axis, value) => (axis.type === "log" ? Math.log10(value) : Number(value));
    for (let at = 0; at < ids.length; at += 1) {
      const x = trace.x[at];
      const y = trace.y[at];
      if (x === null || y === null) continue;
      marks.push({ row: Number(ids[at]), x: on(xaxis, x), y: on(yaxis, y), xaxis, yaxis });
    }
  }
  part.marks = marks;
  return marks;
};
// Where a mark is on the screen.
const placeOf = (part, mark) => {
  const box = part.place.getBoundingClientRect();
  return [box.left + mark.xaxis._offset + mark.xaxis.l2p(mark.x), box.top + mark.yaxis._offset + mark.yaxis.l2p(mark.y)];
};
// The rows whose marks lie under a place on the screen, the nearest first.
const REACH = 7;
const rowsAt = (part, clientX, clientY) => {
  const box = part.place.getBoundingClientRect();
  const near = [];
  for (const mark of marksOf(part)) {
    const across = mark.xaxis._offset + mark.xaxis.l2p(mark.x) - (clientX - box.left);
    if (across > REACH || across < -REACH) continue;
    const down = mark.yaxis._offset + mark.yaxis.l2p(mark.y) - (clientY - box.top);
    const distance = across * across + down * down;
    if (distance <= REACH * REACH) near.push([distance, mark.row]);
  }
  return [...new Set(near.sort((a, b) => a[0] - b[0]).map((one) => one[1]))];
};
// A row of many columns, such as all of an event, without what is the same in all rows: a tooltip has to fit the window.
const FEW_LINES = 14;
const MANY_LINES = 24;
const linesOfRow = (part, row) => {
  let { tooltip } = part;
  if (tooltip.length > FEW_LINES) {
    part.same ??= new Set(tooltip.filter((column) => part.rows.rows.length > 1 && part.rows.rows.every((one) => one[column] === part.rows.rows[0][column])));
    tooltip = tooltip.filter((column) => row[column] !== null && !part.same.has(column));
  }
  const lines = tooltip.slice(0, MANY_LINES).map((column) => [part.rows.columns[column], row[column]]);
  const left = part.tooltip.length - lines.length;
  return left > 0 ? [...lines, ["", `${counted(left, "column")} more: a click keeps all`]] : lines;
};
// Many rows in few lines: of each column its frequent values, of times and of numbers the first and the last one.
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:/;
const MOST = 4;
const summary = (part, rows) => {
  const lines = [["here", counted(rows.length, "row")]];
  for (const column of part.tooltip) {
    const values = rows.map((row) => part.rows.rows[row][column]);
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const distinct = [...counts.keys()].filter((value) => value !== null);
    let text;
    if (counts.size === 1) text = shown(values[0]);
    else if (distinct.length && distinct.every((value) => TIME.test(value))) {
      distinct.sort();
      text = `${shown(distinct[0])} to ${shown(distinct.at(-1))}`;
    } else if (distinct.length > MOST && distinct.every((value) => value !== "" && Number.isFinite(Number(value)))) {
      const numbers = distinct.map(Number);
      text = `${Math.min(...numbers)} to ${Math.max(...numbers)}`;
    } else {
      const order = [...counts].sort((a, b) => b[1] - a[1]);
      const most = order.slice(0, MOST).map(([value, times]) => (times > 1 ? `${shown(value)} ${thousands(times)}` : shown(value)));
      text = most.join(", ") + (order.length > MOST ? `, and ${counted(order.length - MOST, "other value")}` : "");
    }
    lines.push([part.rows.columns[column], text]);
  }
  return lines;
};

// Zooms the time, or the axis from left to right, by a factor around a place of the screen.
const zoom = (part, factor, clientX) => {
  const axis = part.place._fullLayout.xaxis;
  const box = part.place.getBoundingClientRect();
  const around = axis.p2l(clientX === undefined ? axis._length / 2 : clientX - box.left - axis._offset);
  const [first, last] = axis.range.map((end) => axis.r2l(end));
  const ends = [around - (around - first) * factor, around + (last - around) * factor].map((end) => axis.l2r(end));
  return Plotly.relayout(part.place, { "xaxis.range": ends });
};
const isShort = (axis) => Math.abs(axis.r2l(axis.range[1]) - axis.r2l(axis.range[0])) < 1e-9;
const addKeys = (part, { tell, hide, keep }) => {
  const { place } = part;
  place.addEventListener("pointerdown", () => place.focus({ preventScroll: true }), true);
  // The wheel zooms a figure that was clicked; otherwise it scrolls the page.
  place.addEventListener("wheel", (event) => {
    if (document.activeElement !== place || event.ctrlKey) return;
    event.preventDefault();
    const factor = event.deltaY < 0 ? 0.8 : 1.25;
    if (factor < 1 && isShort(place._fullLayout.xaxis)) return;
    zoom(part, factor, event.clientX);
  }, { passive: false });
  place.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      const inside = marksOf(part).filter((mark) => {
        const [x, y] = [mark.xaxis.l2p(mark.x), mark.yaxis.l2p(mark.y)];
        return x >= 0 && x <= mark.xaxis._length && y >= 0 && y <= mark.yaxis._length;
      }).sort((a, b) => a.x - b.x || b.y - a.y);
      if (!inside.length) return;
      event.preventDefault();
      const now = part.at === undefined ? (steps[event.key] > 0 ? -1 : inside.length) : part.at;
      part.at = Math.max(0, Math.min(inside.length - 1, now + steps[event.key]));
      const [clientX, clientY] = placeOf(part, inside[part.at]);
      part.chosen = inside[part.at].row;
      tell(part, [part.chosen], { clientX, clientY });
    } else if (event.key === "Enter" && part.chosen !== undefined) keep(part, part.chosen);
    else if (event.key === "Escape") hide();
    else if (event.key === "+" || event.key === "=") zoom(part, 0.5);
    else if (event.key === "-") zoom(part, 2);
    else if (event.key === "0") home(part);
  });
  place.addEventListener("blur", hide);
};
// Lines at events. A click on one, or on its entry in the list below the figure, shows this time on each side.
const BESIDE = 5 * 60 * 1000;
const NEAR_LINE = 4;
const zoomTo = (part, reference) => {
  const axis = part.place._fullLayout.xaxis;
  return Plotly.relayout(part.place, { "xaxis.range": [reference.time - BESIDE, reference.time + BESIDE].map((end) => axis.l2r(end)) });
};
// The line under the mouse, where no mark is; buttons and the slider are not the plot.
const lineAt = (part, { clientX, clientY, target }) => {
  if (!target.closest?.(".nsewdrag")) return undefined;
  const { xaxis } = part.place._fullLayout;
  const box = target.getBoundingClientRect();
  const distance = (reference) => Math.abs(box.left + xaxis.l2p(reference.time) - clientX);
  const [nearest] = part.references.slice().sort((a, b) => distance(a) - distance(b));
  return distance(nearest) <= NEAR_LINE && !rowsAt(part, clientX, clientY).length ? nearest : undefined;
};
const addLines = (part, { point, hide }) => {
  if (!part.references.length) return;
  const { place } = part;
  const numberOf = (reference) => (part.numbered ? [["line", part.references.indexOf(reference) + 1]] : []);
  let pressed;
  place.addEventListener("pointermove", (event) => {
    const line = event.buttons ? undefined : lineAt(part, event);
    if (line) point([...numberOf(line), ["at", line.at], ["event", line.label]], event);
    else if (part.line) hide();
    part.line = line;
    place.classList.toggle("on-line", Boolean(line));
  });
  place.addEventListener("pointerleave", () => {
    if (part.line) hide();
    part.line = undefined;
  });
  place.addEventListener("pointerdown", (event) => {
    part.line = event.button === 0 ? lineAt(part, event) : undefined;
    pressed = part.line && event;
  }, true);
  addEventListener("pointerup", (event) => {
    const line = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) < NEAR_LINE ? part.line : undefined;
    pressed = undefined;
    if (!line) return;
    // The drawing script ends its own work on the click before.
    setTimeout(() => {
      hide();
      zoomTo(part, line);
    });
  });
  if (!part.numbered) return;
  const list = part.section.appendChild(element("ol", "", { className: "references" }));
  list.setAttribute("aria-label", "The dashed lines");
  for (const reference of part.references) {
    const entry = list.appendChild(element("li", "")).appendChild(element("button", "", { type: "button", title: "Shows five minutes on each side" }));
    entry.append(element("span", reference.at, { className: "time" }), " ", element("span", visible(reference.label), { className: "name" }));
    entry.addEventListener("click", () => {
      zoomTo(part, reference);
      place.scrollIntoView({ block: "nearest" });
    });
  }
};
// Back to what the figure began with.
const home = (part) => {
  const axes = {};
  for (const name of Object.keys(part.place._fullLayout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    const range = part.layout[name]?.range;
    if (range) axes[`${name}.range`] = [...range];
    else axes[`${name}.autorange`] = true;
  }
  return Plotly.relayout(part.place, axes);
};

// The rows of a drawing as a table, for those who can't see it. It is made when it is opened.
const AS_TABLE = 2000;
const addTable = (part) => {
  if (!part.rows.rows.length) return;
  const details = part.section.appendChild(element("details", "", { className: "data" }));
  details.append(element("summary", "The rows as a table"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("table")) return;
    const box = details.appendChild(element("div", "", { className: "scroll" }));
    const table = box.appendChild(element("table", ""));
    const rows = part.rows.rows.slice(0, AS_TABLE);
    table.createCaption().textContent = rows.length < part.rows.rows.length ? `The first ${thousands(rows.length)} of ${counted(part.rows.rows.length, "row")}` : counted(rows.length, "row");
    const heading = table.createTHead().insertRow();
    for (const column of part.tooltip) heading.append(element("th", visible(part.rows.columns[column]), { scope: "col" }));
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const column of part.tooltip) line.insertCell().append(element("div", shown(row[column])));
    }
  });
};

// Other scales for a map in which one mark squeezes the rest: logarithms, or ranks, where equal distances hold equally many marks.
const SCALES = { linear: "as they are", log: "logarithmic", quantile: "by rank" };
const ranks = (values) => {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  return new Map(distinct.map((value, at) => [value, distinct.length > 1 ? at / (distinct.length - 1) : 0.5]));
};
const logarithm = (value) => Math.sign(value) * Math.log10(1 + Math.abs(value));
const short = (value) => (Math.abs(value) >= 1000 && Number.isInteger(value) ? thousands(value) : String(Number(value.toPrecision(4))));
const rescale = (part, scale) => {
  part.marks = undefined;
  for (const name of ["x", "y"]) {
    const axis = part.layout[`${name}axis`];
    for (const trace of part.data) trace[`${name}s`] ??= trace[name];
    const values = part.data.flatMap((trace) => trace[`${name}s`]).filter((value) => value !== null);
    const rank = scale === "quantile" ? ranks(values) : undefined;
    const of = (value) => (value === null ? null : scale === "log" ? logarithm(value) : scale === "quantile" ? rank.get(value) : value);
    for (const trace of part.data) trace[name] = scale === "linear" ? trace[`${name}s`] : trace[`${name}s`].map(of);
    delete axis.tickvals;
    delete axis.ticktext;
    axis.tickmode = "auto";
    if (scale !== "linear") {
      const distinct = [...new Set(values)].sort((a, b) => a - b);
      let ticks = [];
      if (scale === "log") {
        const most = distinct.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        const steps = most <= 1e5 ? [1, 2, 5] : [1];
        const powers = [...Array(Math.ceil(Math.log10(most)) + 1).keys()].flatMap((power) => steps.map((step) => step * 10 ** power));
        ticks = [0, ...powers, ...powers.map((power) => -power)].filter((tick) => tick >= (distinct[0] ?? 0) && tick <= (distinct.at(-1) ?? 0));
      } else ticks = [...Array(9).keys()].map((part) => distinct[Math.round((part / 8) * (distinct.length - 1))]);
      ticks = [...new Set(ticks)];
      Object.assign(axis, { tickmode: "array", tickvals: ticks.map(of), ticktext: ticks.map(short) });
    }
    // Room for marks and labels at the edges.
    let [first, last] = [Infinity, -Infinity];
    for (const trace of part.data) for (const value of trace[name]) if (value !== null) [first, last] = [Math.min(first, value), Math.max(last, value)];
    const room = (last - first || Math.abs(first) || 1) * 0.07;
    if (first <= last) axis.range = [first - room, last + room];
  }
  // Labels stand on the side where there is room.
  for (const trace of part.data.filter((one) => one.text)) {
    const [xs, ys] = [part.layout.xaxis.range, part.layout.yaxis.range];
    trace.textposition = trace.x.map((x, at) => {
      const [across, up] = [(x - xs[0]) / (xs[1] - xs[0]), (trace.y[at] - ys[0]) / (ys[1] - ys[0])];
      return `${up > 0.88 ? "bottom" : "top"} ${across > 0.8 ? "left" : across < 0.2 ? "right" : "center"}`;
    });
  }
};
const addScales = (part, redraw) => {
  if (!part.scale) return;
  const box = element("div", "", { className: "legend scales" });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "The axes");
  box.append(element("span", "Axes", { className: "title" }));
  for (const [scale, name] of Object.entries(SCALES)) {
    const button = box.appendChild(element("button", name, { type: "button" }));
    button.dataset.scale = scale;
    const mark = (chosen) => button.setAttribute("aria-pressed", String(scale === chosen));
    mark(part.scale);
    button.addEventListener("click", () => {
      for (const other of box.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
      rescale(part, scale);
      part.revision = (part.revision ?? 0) + 1;
      redraw(part);
    });
  }
  part.place.before(box);
  rescale(part, part.scale);
};
