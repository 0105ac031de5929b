/* The figures of the page, as SVG of its own. */

/* The width of a drawing: a narrow window shows it as it is, so that its words can be read. */
const NARROW = 600;
const widthOfDrawing = () => (innerWidth < NARROW ? Math.max(280, innerWidth - 32) : 900);
/* A name in a drawing. Of a long account or path the last part stays. */
function nameInDrawing(name) {
  const most = innerWidth < NARROW ? 16 : 30;
  if (name.length <= most) return name;
  const last = name.split(/[\\/]/).at(-1) || name;
  if (last.length < most) return "…" + last;
  return [...last].slice(0, most - 1).join("") + "…";
}

/* Events over time. */
function when(page, view, state, select) {
  const { start, width, spans } = page.histogram;
  const narrow = innerWidth < NARROW;
  const W = Math.max(320, Math.min(innerWidth - (narrow ? 32 : 64), 1536)), H = 132, base = 108;
  const most = Math.max(1, ...view.histogram.all);
  const left = Math.max(30, 12 + 7 * thousands(most).length);
  const step = (W - left - 8) / spans;
  const scale = view.hasRoots ? Math.sqrt : (count) => count;
  const y = (count) => (scale(count) / scale(most)) * 84;
  const shapes = [];
  for (let i = 0; i < spans; i++) {
    const all = view.histogram.all[i], odd = view.histogram.odd[i];
    if (!all) continue;
    const x = left + i * step, w = Math.max(1, step - (step > 4 ? 1 : 0));
    shapes.push(svg("g", {}, svg("title", {}, `${spanStart(start + i * width, width, true)}: ${counted(all, "event")}, ${thousands(odd)} odd`),
      svg("rect", { class: "bar", x, y: base - Math.max(1.5, y(all)), width: w, height: Math.max(1.5, y(all)) }),
      odd ? svg("rect", { class: "odd-bar", x, y: base - Math.max(2, y(odd)), width: w, height: Math.max(2, y(odd)) }) : null));
  }
  const best = view.bursts[0];
  if (best) {
    const i = (best.start - start) / width, x = left + (i + 0.5) * step;
    const isRight = x > W / 2;
    shapes.push(svg("text", { class: "note", x: isRight ? x - step : x + step, y: 14, "text-anchor": isRight ? "end" : "start" }, `${thousands(best.events)} events, ${thousands(best.odd)} odd`));
  }
  shapes.push(svg("text", { x: left - 6, y: base - 80, "text-anchor": "end" }, thousands(most)), svg("text", { x: left - 6, y: base, "text-anchor": "end" }, "0"), svg("line", { x1: left, x2: W - 8, y1: base, y2: base }));
  const end = start + spans * width;
  const between = WIDTHS.find((between) => between >= width && (end - start) / between <= (narrow ? 3 : 8)) || end - start;
  for (let time = Math.ceil(start / between) * between; time < end; time += between) {
    const x = left + ((time - start) / width) * step;
    if (x > W - 60) break;
    shapes.push(svg("line", { x1: x, x2: x, y1: base, y2: base + 4 }), svg("text", { x, y: base + 16 }, spanStart(time, between, page.severalDays && between < DAY)));
  }
  if (state.time) {
    const x = (time) => left + Math.max(0, Math.min(spans, (time - start) / width)) * step;
    shapes.unshift(svg("rect", { class: "selected", x: x(state.time[0]), y: 18, width: Math.max(2, x(state.time[1]) - x(state.time[0])), height: base - 18 }));
  }
  const drawing = svg("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img", "aria-label": `Events over time, ${spanName(width)} a bar` }, shapes);
  const spanAt = (event) => {
    const box = drawing.getBoundingClientRect();
    return Math.max(0, Math.min(spans - 1, Math.floor((((event.clientX - box.left) / box.width) * W - left) / step)));
  };
  drawing.addEventListener("pointerdown", (event) => {
    const from = spanAt(event);
    drawing.setPointerCapture(event.pointerId);
    const end = (up) => {
      const to = spanAt(up);
      select(start + Math.min(from, to) * width, start + (Math.max(from, to) + 1) * width);
    };
    drawing.addEventListener("pointerup", end, { once: true });
  });
  return drawing;
}

/* Places on two features, or on the quantiles of these. */
function map(page, view, byRank) {
  const W = widthOfDrawing(), H = 460, left = 60, base = H - 40;
  const chosen = view.largestPlaces(3000);
  const axis = (k) => {
    const values = chosen.map((place) => page.places.features[place][k]);
    const sorted = [...new Set(values)].sort((a, b) => a - b);
    const low = sorted[0], high = sorted[sorted.length - 1];
    const rank = new Map(sorted.map((value, i) => [value, sorted.length > 1 ? i / (sorted.length - 1) : 0.5]));
    return { low, high, at: (value) => byRank ? rank.get(value) : high > low ? (value - low) / (high - low) : 0.5 };
  };
  const [x, y] = [axis(0), axis(1)];
  const marks = chosen.map((place) => {
    const odd = view.labels[place] < 0;
    const size = odd ? 4 : (3 + 2.2 * Math.log2(1 + page.places.events[place])) * Math.min(1, W / 600);
    const [a, b] = page.places.features[place];
    const attributes = { class: odd ? "odd-mark" : "mark", transform: `translate(${left + 10 + x.at(a) * (W - left - 40)} ${base - 10 - y.at(b) * (base - 40)})` };
    const shape = odd ? svg("path", { d: "M0-5L5 0L0 5L-5 0Z" }) : svg("circle", { r: size });
    return svg("g", attributes, svg("title", {}, `${said(page.nameOf(place))}: ${counted(page.places.events[place], "event")}, ${said(page.features[0].name)} ${short(a)}, ${said(page.features[1].name)} ${short(b)}`), shape);
  });
  // The largest patterns and the farthest odd events have names, where there is room.
  const far = chosen.filter((place) => view.labels[place] < 0).sort((a, b) => (page.joinsAt(b) ?? Infinity) - (page.joinsAt(a) ?? Infinity));
  const placed = [], told = [];
  for (const place of [...chosen.filter((place) => view.labels[place] >= 0).slice(0, 8), ...far.slice(0, 8)]) {
    const [a, b] = page.places.features[place];
    const px = left + 10 + x.at(a) * (W - left - 40), py = base - 10 - y.at(b) * (base - 40) - 8, isRight = px > W - Math.min(200, W / 2);
    if (placed.some(([ox, oy]) => Math.abs(ox - px) < 150 && Math.abs(oy - py) < 14)) continue;
    placed.push([px, py]);
    told.push(svg("text", { class: "name", x: px + (isRight ? -12 : 12), y: py, "text-anchor": isRight ? "end" : "start" }, nameInDrawing(said(page.nameOf(place)))));
  }
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "wide", role: "img", "aria-label": "Map of the places" },
    svg("line", { x1: left, x2: W, y1: base, y2: base }), svg("line", { x1: left, x2: left, y1: 10, y2: base }), marks, told,
    svg("text", { x: left, y: H - 20 }, short(x.low)), svg("text", { x: W - 4, y: H - 20, "text-anchor": "end" }, short(x.high)),
    svg("text", { x: (left + W) / 2, y: H - 6, "text-anchor": "middle" }, said(page.features[0].name)),
    svg("text", { x: left - 6, y: base, "text-anchor": "end" }, short(y.low)), svg("text", { x: left - 6, y: 20, "text-anchor": "end" }, short(y.high)),
    svg("text", { x: 14, y: base / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${base / 2})` }, said(page.features[1].name)));
}

/* Clusters and odd events at each eps. */
function curve(page, view, curvePoints) {
  const W = widthOfDrawing(), H = 300, left = 60, base = H - 40;
  const [low, high] = [Math.log(curvePoints[0].eps), Math.log(curvePoints[curvePoints.length - 1].eps)];
  const x = (eps) => left + ((Math.log(eps) - low) / Math.max(1e-9, high - low)) * (W - left - 20);
  const most = Math.max(1, ...curvePoints.map((point) => Math.max(point.clusters, point.odd)));
  // There is a line for the name of eps above the curves and theirs.
  const y = (count) => base - (count / most) * (base - 32);
  const line = (name, value) => svg("polyline", { class: name, points: curvePoints.map((point) => `${x(point.eps).toFixed(1)},${y(value(point)).toFixed(1)}`).join(" ") });
  const last = curvePoints[0], isRight = x(view.eps) > W - 140;
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "wide", role: "img", "aria-label": "Clusters and odd events at each eps" },
    svg("line", { x1: left, x2: W - 10, y1: base, y2: base }), line("clusters-line", (point) => point.clusters), line("odd-line", (point) => point.odd),
    svg("line", { class: "eps-line", x1: x(view.eps), x2: x(view.eps), y1: 2, y2: base }),
    svg("text", { class: "eps-text", x: x(view.eps) + (isRight ? -4 : 4), y: 11, "text-anchor": isRight ? "end" : "start" }, "eps " + short(view.eps)),
    svg("text", { class: "odd-text", x: x(last.eps) + 4, y: y(last.odd) - 6 }, "odd events"),
    svg("text", { class: "clusters-text", x: x(last.eps) + 4, y: Math.min(base - 6, y(last.clusters) + 14) }, "patterns"),
    svg("text", { x: left - 6, y: 36, "text-anchor": "end" }, thousands(most)), svg("text", { x: left - 6, y: base, "text-anchor": "end" }, "0"),
    svg("text", { x: left, y: H - 20 }, curvePoints[0].eps.toPrecision(2)), svg("text", { x: W - 10, y: H - 20, "text-anchor": "end" }, curvePoints[curvePoints.length - 1].eps.toPrecision(2)),
    svg("text", { x: (left + W) / 2, y: H - 6, "text-anchor": "middle" }, "eps, logarithmic"));
}

/* The least, the middle and the greatest value of a feature for each name, the widest first. */
function spreads(page, feature) {
  const byName = new Map();
  page.namedPlaces((name, place) => {
    const value = page.places.features[place][feature];
    if (value === undefined) return;
    if (!byName.has(name)) byName.set(name, []);
    byName.get(name).push(value);
  });
  const all = [...byName].map(([name, values]) => { values.sort((a, b) => a - b); return { name, values, width: values[values.length - 1] - values[0] }; });
  const wide = all.filter((each) => each.width > 0).sort((a, b) => b.width - a.width);
  const shown = wide.slice(0, 30);
  if (!shown.length) return el("p", { class: "soft" }, `Each of ${counted(all.length, "name")} has one value of ${said(page.features[feature].name)}.`);
  const low = Math.min(...shown.map((each) => each.values[0])), high = Math.max(...shown.map((each) => each.values[each.values.length - 1]));
  const W = widthOfDrawing(), left = innerWidth < NARROW ? 120 : 220, H = shown.length * 20 + 40;
  const x = (value) => left + ((value - low) / Math.max(1e-9, high - low)) * (W - left - 20);
  const lines = shown.map((each, i) => {
    const y = 14 + i * 20;
    return svg("g", {}, svg("title", {}, `${said(page.text(each.name))}: ${counted(each.values.length, "value")} from ${short(each.values[0])} to ${short(each.values[each.values.length - 1])}`),
      svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, nameInDrawing(said(page.text(each.name)))),
      svg("line", { class: "range", x1: x(each.values[0]), x2: x(each.values[each.values.length - 1]), y1: y, y2: y }),
      each.values.slice(0, 200).map((value) => svg("circle", { class: "mark", cx: x(value), cy: y, r: 3 })));
  });
  const rest = [wide.length > shown.length ? `${counted(wide.length - shown.length, "name")} with less spread` : null, all.length > wide.length ? `${counted(all.length - wide.length, "name")} with one value` : null].filter(Boolean);
  return el("div", {}, svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "wide", role: "img", "aria-label": `Spread of ${said(page.features[feature].name)}` }, lines,
    svg("text", { x: left, y: H - 6 }, short(low)), svg("text", { x: W - 20, y: H - 6, "text-anchor": "end" }, short(high))), rest.length ? el("p", { class: "soft" }, "Not drawn: " + rest.join(", ") + ".") : null);
}

/* The columns that number processes and those that started them, in logs of several kinds. */
const PROCESS_IDS = [["newprocessid", "processid"], ["processguid", "parentprocessguid"], ["processid", "parentprocessid"], ["pid", "ppid"]];

/* The row that started each row: the latest earlier one on the same host with the number of its parent, since numbers are used again. */
function parentRows(page) {
  const { values, first, host } = page.rows;
  const names = page.columns.map((column) => column.toLowerCase());
  const pair = PROCESS_IDS.find(([id, parent]) => names.includes(id) && names.includes(parent));
  if (!values || !pair) return null;
  const [id, parent] = pair.map((name) => names.indexOf(name));
  const latest = new Map(), parents = new Map();
  const key = (row, column) => `${host ? host[row] : ""}|${values[row][column]}`;
  for (const row of page.timed) {
    if (!values[row]) continue;
    const found = values[row][parent] === null ? undefined : latest.get(key(row, parent));
    if (found !== undefined && first[found] <= first[row]) parents.set(row, found);
    if (values[row][id] !== null) latest.set(key(row, id), row);
  }
  return parents.size ? parents : null;
}

const TREE_SHOWN = 500;

/* The odd events below those that started them, and what they started in turn. */
function processTree(page, view, parents) {
  const odd = new Set(view.noise.map((entry) => entry.row));
  const shown = new Set();
  for (const row of odd) for (let at = row; at !== undefined && !shown.has(at); at = parents.get(at)) shown.add(at);
  for (const row of page.timed) if (parents.has(row) && odd.has(parents.get(row))) shown.add(row);
  const children = new Map();
  const roots = [];
  for (const row of page.timed) {
    if (!shown.has(row)) continue;
    const parent = parents.get(row);
    if (parent === undefined || !shown.has(parent)) roots.push(row);
    else children.set(parent, [...(children.get(parent) || []), row]);
  }
  let left = TREE_SHOWN;
  const branch = (rows) => el("ul", { class: "tree" }, rows.map((row) => {
    if (left-- <= 0) return null;
    const name = page.rows.name ? said(page.text(page.rows.name[row])) : said(page.title);
    return el("li", { class: odd.has(row) ? "odd" : null }, el("time", {}, clockTime(page.rows.first[row])), " ", el("b", {}, name), " ", odd.has(row) ? el("span", { class: "size" }, "odd") : null, " ", command(page, row, true), children.has(row) ? branch(children.get(row)) : null);
  }));
  const made = branch(roots);
  const rest = Math.max(0, shown.size - TREE_SHOWN);
  return el("div", {}, el("p", { class: "soft" }, `${counted(odd.size, "odd event")} with those that started them, and what they started.${rest ? ` ${thousands(rest)} more are not drawn.` : ""}`), made);
}
