// One script for every figure: draws, follows the theme, exports, and keeps the rows that are clicked.
"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figure = read("drawing");
  const rows = read("rows");
  const place = document.getElementById("figure");
  const root = document.documentElement;

  if (figure.layout.height) place.style.height = `${figure.layout.height}px`;

  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const themed = (layout) => {
    const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--soft") };
    const merged = { ...layout, paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), hoverlabel: {
      bgcolor: css("--tint"), bordercolor: css("--soft"), align: "left", namelength: -1,
      font: { color: css("--ink"), size: 12 } },
      font: { color: css("--ink"), family: 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif', size: 13 },
      hovermode: "closest", dragmode: "zoom" };
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      merged[name] = { ...axis, ...layout[name] };
      const colors = { bgcolor: css("--tint"), bordercolor: css("--line") };
      if (layout[name].rangeselector) {
        merged[name].rangeselector = { ...layout[name].rangeselector, ...colors, activecolor: css("--line") };
      }
      if (layout[name].rangeslider) merged[name].rangeslider = { ...layout[name].rangeslider, ...colors };
    }
    return merged;
  };
  const config = { responsive: true, displaylogo: false, scrollZoom: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  const wish = window.matchMedia("(prefers-color-scheme: dark)");
  let theme = wish.matches ? "dark" : "light";
  const paint = () => {
    root.dataset.theme = theme;
    return Plotly.react(place, figure.data, themed(figure.layout), config);
  };

  const kept = document.getElementById("kept");
  const keep = (row) => {
    if (kept.querySelector(`tr[data-row="${row}"]`)) return;
    kept.closest(".kept").hidden = false;
    const line = kept.insertRow();
    line.dataset.row = row;
    for (const value of rows.rows[row]) {
      // textContent: whatever the event says stays text.
      line.insertCell().textContent = value === null ? "(NULL)" : value;
    }
  };

  const filename = document.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "figure";
  for (const format of ["png", "svg"]) {
    document.getElementById(format).addEventListener("click", () =>
      Plotly.downloadImage(place, { format, filename, width: place.clientWidth, height: place.clientHeight, scale: format === "png" ? 2 : 1 }));
  }
  document.getElementById("theme").addEventListener("click", () => {
    theme = theme === "dark" ? "light" : "dark";
    paint();
  });
  wish.addEventListener("change", (change) => {
    theme = change.matches ? "dark" : "light";
    paint();
  });
  // Labels that would lie on another one are hidden; zooming in makes room for them.
  const makeRoom = () => {
    const shown = [];
    for (const text of place.querySelectorAll(".textpoint text")) {
      text.classList.remove("covered");
      const box = text.getBoundingClientRect();
      if (box.width === 0) continue;
      const covers = (other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom;
      if (shown.some(covers)) text.classList.add("covered");
      else shown.push(box);
    }
  };
  paint().then(() => {
    place.on("plotly_afterplot", makeRoom);
    makeRoom();
    place.on("plotly_click", (event) => {
      for (const point of event.points) {
        const id = point.id ?? (point.data.ids && point.data.ids[point.pointNumber]);
        if (id !== undefined) keep(Number(id));
      }
    });
    root.dataset.drawn = "true";
  });
})();
