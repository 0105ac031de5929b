// One script for every page: draws its parts, links times, follows the theme, shows tooltips, keeps the rows that are clicked,
// and prepares the page for paper.
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
  // At most this wide, names beside the marks are short.
  const NARROW = 560;
  const BESIDE_MARKS = 124;
  const themed = (part, layout, width) => {
    const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--soft") };
    const merged = { ...layout, uirevision: part.revision ?? "same", paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"),
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
      // The slider shows events over time, where there is a strip of them: marks lie beyond its range.
      if (layout.yaxis2 && merged[name].rangeslider && !layout.yaxis3) {
        Object.assign(merged[name].rangeslider, { yaxis: { rangemode: "fixed", range: [1e9, 1e9 + 1] }, yaxis2: { rangemode: "match" } });
      }
      // The button "all" goes back to what the timeline began with, also where its own marks lie within a shorter time.
      const [first, last] = layout[name].range ?? [];
      if (layout[name].rangeselector && last !== undefined) merged[name].autorangeoptions = { minallowed: first, maxallowed: last };
    }
    if (width < NARROW) {
      if (merged.margin?.l > BESIDE_MARKS) merged.margin = { ...merged.margin, l: BESIDE_MARKS };
      if (merged.yaxis?.ticktext) merged.yaxis.ticktext = merged.yaxis.ticktext.map((text) => fitting(text, merged.font, BESIDE_MARKS - 12));
      // The buttons of times begin at the figure's edge, since they are wider than the marks.
      const { l = 80, r = 80 } = merged.margin ?? {};
      for (const axis of Object.keys(layout).filter((key) => layout[key]?.rangeselector)) {
        merged[axis].rangeselector = { ...merged[axis].rangeselector, x: (8 - l) / (width - l - r), xanchor: "left" };
      }
      if (merged.xaxis?.type === "date") Object.assign(merged.xaxis, { nticks: 3, tickangle: 0 });
    }
    return merged;
  };
  const config = { responsive: true, displaylogo: false, scrollZoom: false, modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d"] };
  const wish = window.matchMedia("(prefers-color-scheme: dark)");
  const { read, write } = memory(document.title, page.rows);
  const saved = read();
  // The theme that was chosen here; without one, that of the system.
  let chosenTheme = ["light", "dark"].find((one) => one === saved.theme);
  let theme = chosenTheme ?? (wish.matches ? "dark" : "light");
  const remember = () => write({ theme: chosenTheme,
    kept: parts.map((part) => [...part.kept?.rows ?? []].map((line) => Number(line.dataset.row))) });
  // Draws one part. One that fails says so in its place, and the others go on.
  const draw = async (part, more = {}) => {
    if (part.failed) return;
    // As it is on the screen, for paper.
    if (!more.width) part.high = part.place.clientHeight;
    try {
      const [data, layout] = recoloured(part, page.colors, root.dataset.theme);
      paintLegend(part, page.colors, root.dataset.theme);
      await Plotly.react(part.place, data, { ...themed(part, layout, more.width ?? part.place.clientWidth), ...more }, config);
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
    chosenTheme = theme === "dark" ? "light" : "dark";
    theme = chosenTheme;
    remember();
    paint(theme);
  });
  wish.addEventListener("change", (change) => {
    chosenTheme = undefined;
    theme = change.matches ? "dark" : "light";
    remember();
    paint(theme);
  });

  // Tooltips.
  const tip = document.body.appendChild(element("div", "", { id: "tip", hidden: true }));
  tip.setAttribute("role", "status");
  const point = (lines, event) => {
    const list = element("dl", "");
    for (const [name, value] of lines) list.append(element("dt", visible(name)), element("dd", shown(value)));
    tip.replaceChildren(list);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const beside = event.clientX + 16 + width > innerWidth ? event.clientX - 16 - width : event.clientX + 16;
    tip.style.left = `${Math.max(8, beside)}px`;
    tip.style.top = `${Math.max(8, Math.min(event.clientY + 12, innerHeight - height - 8))}px`;
  };
  const leave = () => { tip.hidden = true; };
  const linesOfRows = (part, rows) => (rows.length > 1 ? summary(part, rows) : linesOfRow(part, part.rows.rows[rows[0]]));
  // A mark tells its row, or all rows at its place; a mark that has many the numbers that it is drawn from.
  const linesOf = (part, event) => {
    const row = rowOf(event);
    if (row !== undefined) {
      const rows = rowsAt(part, event.event.clientX, event.event.clientY);
      return linesOfRows(part, rows.includes(row) ? rows : [row]);
    }
    const [mark] = event.points.filter((one) => Array.isArray(one.data.customdata));
    return mark?.data.customdata[mark.pointNumber];
  };

  // Kept rows, in a drawer at the lower edge of the window while its figure is in sight.
  const CSV_FORMULA = /^[=+\-@\t\r]/;
  const cell = (value) => {
    const text = value === null ? "" : String(value);
    // A spreadsheet would calculate it.
    const safe = CSV_FORMULA.test(text) && !Number.isFinite(Number(text)) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  };
  const tell = (part) => { part.keptCount.textContent = counted(part.kept.rows.length, "kept row"); };
  const show = (part, row) => {
    if (!part.kept) {
      const box = part.section.appendChild(element("div", "", { className: "kept" }));
      const bar = box.appendChild(element("div", "", { className: "bar" }));
      part.keptCount = bar.appendChild(element("b", ""));
      const asFile = bar.appendChild(element("button", "Save CSV", { type: "button" }));
      asFile.addEventListener("click", () => {
        const rows = [...part.kept.rows].map((line) => part.rows.rows[Number(line.dataset.row)]);
        const text = [part.rows.columns, ...rows].map((values) => values.map(cell).join(",")).join("\r\n");
        element("a", "", { href: `data:text/csv;charset=utf-8,${encodeURIComponent(text)}`, download: "kept-rows.csv" }).click();
      });
      const clear = bar.appendChild(element("button", "Clear", { type: "button" }));
      clear.addEventListener("click", () => {
        box.remove();
        part.kept = undefined;
        remember();
      });
      const table = box.appendChild(element("div", "", { className: "scroll" })).appendChild(element("table", ""));
      table.createCaption().textContent = "Kept rows";
      const heading = table.createTHead().insertRow();
      for (const column of part.rows.columns) heading.append(element("th", visible(column), { scope: "col" }));
      heading.append(element("th", "", { scope: "col" }));
      part.kept = table.createTBody();
    }
    if (part.kept.querySelector(`tr[data-row="${row}"]`)) return undefined;
    const line = part.kept.insertRow();
    line.dataset.row = row;
    for (const value of part.rows.rows[row]) line.insertCell().append(element("div", shown(value)));
    const remove = element("button", "×", { type: "button" });
    remove.setAttribute("aria-label", "Remove this row");
    remove.addEventListener("click", () => {
      line.remove();
      tell(part);
      remember();
    });
    line.append(element("th", "", { className: "remove" }));
    line.lastChild.append(remove);
    tell(part);
    return line;
  };
  const keep = (part, row) => {
    show(part, row)?.scrollIntoView({ block: "nearest" });
    remember();
  };
  for (const [at, rows] of [saved.kept ?? []].flat().entries()) {
    for (const row of [rows].flat()) if (Array.isArray(parts[at]?.rows.rows[row])) show(parts[at], row);
  }
  const rowOf = (event) => {
    for (const mark of event.points) {
      const id = mark.id ?? rowsOf(mark.data)?.[mark.pointNumber];
      if (id !== undefined) return Number(id);
    }
    return undefined;
  };

  // Labels that would lie on another one are hidden; zooming in makes room for them.
  const makeRoom = (place) => {
    const taken = [];
    // The first label of a trace is the most important one.
    const order = (text) => text.__data__?.i ?? 0;
    for (const text of [...place.querySelectorAll(".textpoint text")].sort((a, b) => order(a) - order(b))) {
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
      button.addEventListener("click", () => save(part, parts, button.dataset.save));
    }
    if (part.place) {
      addScales(part, draw);
      addLegend(part, draw);
      addKeys(part, { tell: (of, rows, at) => point(linesOfRows(of, rows), at), hide: leave, keep });
      addLines(part, { point, hide: leave });
      addTable(part);
    }
    // Marks that are elements.
    part.written?.addEventListener("click", (event) => {
      if (event.target.closest("summary, input, .finding details")) return;
      const fold = event.target.closest("button.fold");
      const mark = event.target.closest("[data-row]");
      if (fold) toggle(fold.closest("li"));
      else if (mark && !String(getSelection())) keepMark(part, mark);
    });
    part.written?.addEventListener("keydown", (event) => {
      const mark = event.target.closest("[data-row]");
      if (event.key === "Enter" && mark === event.target) keepMark(part, mark);
    });
    // Marks that are not their own text tell their rows under the mouse and on focus.
    const tellMark = (event) => {
      const mark = event.target.closest?.(".mark[data-row], .mark[data-tip]");
      if (!mark) return leave();
      const at = mark.getBoundingClientRect();
      const lines = mark.dataset.tip ? JSON.parse(mark.dataset.tip) : linesOfRows(part, [Number(mark.dataset.row)]);
      point(lines, event.clientX === undefined ? { clientX: at.left + at.width / 2, clientY: at.bottom } : event);
    };
    part.written?.addEventListener("mousemove", tellMark);
    part.written?.addEventListener("mouseleave", leave);
    part.written?.addEventListener("focusin", (event) => { if (event.target.matches?.(":focus-visible")) tellMark(event); });
    part.written?.addEventListener("focusout", leave);
    if (part.written) addTree(part, toggle);
  }
  // A mark of many rows keeps all of them.
  function keepMark(part, mark) {
    for (const row of (mark.dataset.rows ?? mark.dataset.row).split(",")) keep(part, Number(row));
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
  function toggle(line) {
    const folded = line.classList.toggle("folded");
    line.setAttribute("aria-expanded", String(!folded));
    let hiddenBelow = Infinity;
    for (let next = line.nextElementSibling; next && Number(next.dataset.level) > Number(line.dataset.level); next = next.nextElementSibling) {
      const level = Number(next.dataset.level);
      if (level <= hiddenBelow) hiddenBelow = Infinity;
      hideFolded(next, folded || level > hiddenBelow);
      if (!next.hidden && next.classList.contains("folded")) hiddenBelow = level;
    }
  }
  // A click keeps at most this many rows of one place.
  const MOST_KEPT = 50;
  const listen = (part) => {
    part.place.on("plotly_afterplot", () => {
      part.marks = undefined;
      makeRoom(part.place);
    });
    makeRoom(part.place);
    part.place.on("plotly_hover", (event) => {
      const lines = linesOf(part, event);
      if (lines && !part.line) point(lines, event.event);
    });
    part.place.on("plotly_unhover", leave);
    part.place.on("plotly_click", (event) => {
      const row = rowOf(event);
      if (row === undefined || part.line) return;
      const rows = rowsAt(part, event.event.clientX, event.event.clientY);
      for (const one of (rows.includes(row) ? rows : [row]).slice(0, MOST_KEPT)) keep(part, one);
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
