// One script for every page: draws its parts, links times, follows the theme, exports, shows tooltips, keeps the rows that
// are clicked, and prepares the page for paper. Whatever an event says goes through textContent, so it stays text.
"use strict";
(() => {
  const page = JSON.parse(document.getElementById("page").textContent);
  const root = document.documentElement;
  const sections = [...document.querySelectorAll("section.part")];
  const parts = page.parts.map((part, at) => ({
    ...part, section: sections[at], rows: page.rows[part.rows] ?? { columns: [], rows: [] },
    place: sections[at].querySelector(".figure"), written: sections[at].querySelector(".written") }));
  const drawn = parts.filter((part) => part.place);
  // Without a graphics card's interface many marks are slow, but there.
  const hasGl = Boolean(document.createElement("canvas").getContext("webgl"));
  for (const trace of drawn.flatMap((part) => part.data)) if (trace.type === "scattergl" && !hasGl) trace.type = "scatter";
  for (const part of drawn) if (part.layout.height) part.place.style.height = `${part.layout.height}px`;

  // Themes.
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const themed = (layout) => {
    const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--soft") };
    const merged = { ...layout, uirevision: "same", paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"),
      hoverlabel: { bgcolor: css("--tint"), bordercolor: css("--soft"), align: "left", font: { color: css("--ink"), size: 12 } },
      font: { color: css("--ink"), family: 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif', size: 13 },
      hovermode: layout.hovermode ?? "closest", dragmode: "zoom" };
    const button = { bgcolor: css("--tint"), bordercolor: css("--line"), activecolor: css("--line") };
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      merged[name] = { ...axis, ...layout[name] };
      for (const tool of ["rangeselector", "rangeslider"]) {
        if (layout[name][tool]) merged[name][tool] = { ...layout[name][tool], ...button };
      }
      // Otherwise plotly.js compares, for each name of an axis, all of them with the figure's edge: minutes for a thousand.
      if (layout[name].ticktext) merged[name].ticklabeloverflow = "allow";
      // The button "all" goes back to what the timeline began with, also where its own marks lie within a shorter time.
      const [first, last] = layout[name].range ?? [];
      if (layout[name].rangeselector && last !== undefined) merged[name].autorangeoptions = { minallowed: first, maxallowed: last };
    }
    return merged;
  };
  const config = { responsive: true, displaylogo: false, scrollZoom: false, modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d"] };
  const wish = window.matchMedia("(prefers-color-scheme: dark)");
  let theme = wish.matches ? "dark" : "light";
  // Draws one part. One that fails says so in its place, and the others go on.
  const draw = async (part, more = {}) => {
    if (part.failed) return;
    // As it is on the screen, for paper.
    if (!more.width) part.high = part.place.clientHeight;
    try {
      await Plotly.react(part.place, part.data, { ...themed(part.layout), ...more }, config);
      if (!part.listens) listen(part);
      part.listens = true;
    } catch (error) {
      console.error(error);
      part.failed = true;
      globalThis.Plotly?.purge(part.place);
      part.place.style.height = "auto";
      part.place.replaceChildren(element("p", `This figure could not be drawn here: ${error.message ?? error}`, { className: "failed" }));
      part.place.firstChild.setAttribute("role", "alert");
    }
  };
  const paint = (chosen, more) => {
    root.dataset.theme = chosen;
    return Promise.all(drawn.map((part) => draw(part, more?.(part))));
  };
  document.getElementById("theme").addEventListener("click", () => {
    theme = theme === "dark" ? "light" : "dark";
    paint(theme);
  });
  wish.addEventListener("change", (change) => {
    theme = change.matches ? "dark" : "light";
    paint(theme);
  });

  const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);
  const shown = (value) => (value === null ? "(NULL)" : value);

  // Tooltips.
  const tip = document.body.appendChild(element("div", "", { id: "tip", hidden: true }));
  const point = (lines, event) => {
    const list = element("dl", "");
    for (const [name, value] of lines) list.append(element("dt", name), element("dd", shown(value)));
    tip.replaceChildren(list);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const beside = event.clientX + 16 + width > innerWidth ? event.clientX - 16 - width : event.clientX + 16;
    tip.style.left = `${Math.max(8, beside)}px`;
    tip.style.top = `${Math.max(8, Math.min(event.clientY + 12, innerHeight - height - 8))}px`;
  };
  const leave = () => { tip.hidden = true; };
  // A mark tells its row; a box, which has many, the numbers that it is drawn from.
  const linesOf = (part, event) => {
    const row = rowOf(event);
    if (row !== undefined) return part.tooltip.map((column) => [part.rows.columns[column], part.rows.rows[row][column]]);
    const box = event.points.find((mark) => mark.data.type === "box");
    return box?.data.customdata[box.pointNumber];
  };

  // Kept rows.
  const keep = (part, row) => {
    if (!part.kept) {
      const box = part.section.appendChild(element("div", "", { className: "kept scroll" }));
      const table = box.appendChild(element("table", ""));
      table.createCaption().textContent = "Kept rows";
      const heading = table.createTHead().insertRow();
      for (const column of part.rows.columns) heading.append(element("th", column, { scope: "col" }));
      part.kept = table.createTBody();
    }
    if (part.kept.querySelector(`tr[data-row="${row}"]`)) return;
    const line = part.kept.insertRow();
    line.dataset.row = row;
    for (const value of part.rows.rows[row]) line.insertCell().append(element("div", shown(value)));
  };
  const rowOf = (event) => {
    for (const mark of event.points) {
      const id = mark.id ?? mark.data.ids?.[mark.pointNumber];
      if (id !== undefined) return Number(id);
    }
    return undefined;
  };

  // Files.
  const name = document.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "figure";
  const download = (url, format) => element("a", "", { href: url, download: `${name}.${format}` }).click();
  const saveWritten = async (written, format) => {
    const [width, height] = [Math.ceil(written.scrollWidth), Math.ceil(written.scrollHeight)];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("data-theme", theme);
    const inside = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "foreignObject"));
    inside.setAttribute("width", "100%");
    inside.setAttribute("height", "100%");
    const body = inside.appendChild(document.createElement("body"));
    body.append(element("style", document.querySelector("style").textContent), written.cloneNode(true));
    body.style.padding = "0";
    const text = new XMLSerializer().serializeToString(svg);
    const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    if (format === "svg") return download(url, format);
    const image = new Image();
    image.src = url;
    await image.decode();
    // Browsers draw no larger canvas.
    const scale = Math.min(2, 16000 / height, 16000 / width);
    const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.drawImage(image, 0, 0);
    return download(canvas.toDataURL("image/png"), format);
  };
  const save = (part, format) => (part.place
    ? Plotly.downloadImage(part.place, { format, filename: name, width: part.place.clientWidth, height: part.place.clientHeight, scale: format === "png" ? 2 : 1 })
    : saveWritten(part.written, format));

  // Labels that would lie on another one are hidden; zooming in makes room for them.
  const makeRoom = (place) => {
    const taken = [];
    for (const text of place.querySelectorAll(".textpoint text")) {
      text.classList.remove("covered");
      const box = text.getBoundingClientRect();
      if (box.width === 0) continue;
      const covers = (other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom;
      if (taken.some(covers)) text.classList.add("covered");
      else taken.push(box);
    }
  };

  // Linked times: what one shows, all show.
  const linked = drawn.filter((part) => part.linked);
  let following = false;
  const follow = async (from) => {
    if (following) return;
    following = true;
    const range = [...from.place.layout.xaxis.range];
    const others = linked.filter((part) => part !== from && !part.failed && String(part.place.layout.xaxis.range) !== String(range));
    await Promise.all(others.map((part) => Plotly.relayout(part.place, { "xaxis.range": range })));
    following = false;
  };

  for (const part of parts) {
    for (const button of part.section.querySelectorAll("button[data-save]")) {
      button.addEventListener("click", () => save(part, button.dataset.save));
    }
    // Marks that are elements.
    part.written?.addEventListener("click", (event) => {
      if (event.target.closest("details, input")) return;
      const fold = event.target.closest("button.fold");
      const mark = event.target.closest("[data-row]");
      if (fold) toggle(fold.closest("li"));
      else if (mark && !String(getSelection())) keep(part, Number(mark.dataset.row));
    });
  }
  // A search hides the rows that don't have its words, in any case.
  for (const input of document.querySelectorAll("input[data-search]")) {
    const place = input.closest(".written");
    const items = [...place.querySelectorAll("[data-row]")];
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const item of items) {
        const text = item.textContent.toLowerCase();
        item.hidden = !words.every((word) => text.includes(word));
        if (!item.hidden) found += 1;
      }
      place.querySelector(".found").textContent = words.length ? `${found} of ${items.length}` : "";
    });
  }
  // A fold hides all lines below it that are deeper.
  const toggle = (line) => {
    const folded = line.classList.toggle("folded");
    let hiddenBelow = Infinity;
    for (let next = line.nextElementSibling; next && Number(next.dataset.level) > Number(line.dataset.level); next = next.nextElementSibling) {
      const level = Number(next.dataset.level);
      if (level <= hiddenBelow) hiddenBelow = Infinity;
      next.hidden = folded || level > hiddenBelow;
      if (!next.hidden && next.classList.contains("folded")) hiddenBelow = level;
    }
  };
  const listen = (part) => {
    part.place.on("plotly_afterplot", () => makeRoom(part.place));
    makeRoom(part.place);
    part.place.on("plotly_hover", (event) => {
      const lines = linesOf(part, event);
      if (lines) point(lines, event.event);
    });
    part.place.on("plotly_unhover", leave);
    part.place.on("plotly_click", (event) => {
      const row = rowOf(event);
      if (row !== undefined) keep(part, row);
    });
    if (part.linked) part.place.on("plotly_relayout", () => follow(part));
  };

  // Paper is light. Figures are drawn anew at a width that suits a sheet, and scale with it; in a table each value gets the
  // name of its column, since its columns don't fit beside each other.
  const SHEET = 1000;
  addEventListener("beforeprint", () => {
    leave();
    for (const table of document.querySelectorAll("table")) {
      const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
      for (const line of table.tBodies[0].rows) for (const cell of line.cells) cell.dataset.column = names[cell.cellIndex];
    }
    paint("light", (part) => ({ width: SHEET, height: part.high, autosize: false }));
    for (const part of drawn.filter((one) => !one.failed)) {
      part.place.style.setProperty("--sheet", `${SHEET} / ${part.high}`);
      for (const svg of part.place.querySelectorAll(".main-svg")) svg.setAttribute("viewBox", `0 0 ${SHEET} ${part.high}`);
    }
  });
  addEventListener("afterprint", () => {
    for (const svg of document.querySelectorAll(".main-svg")) svg.removeAttribute("viewBox");
    paint(theme);
  });

  paint(theme).then(() => { root.dataset.drawn = "true"; });
})();
