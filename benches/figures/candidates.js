// The same marks by each library, as its documentation says for many marks: no animation, no copy of the data, large modes where there are some.
// draw(place, xs, ys, isLine, range) draws into `place`, and returns a function that shows only the x from `first` to `last`.
"use strict";
const MARK = 7;
const COLOR = "rgba(0,114,178,0.8)";
const candidates = {
  async nothing() {
    return () => {};
  },
  async plotly(place, x, y, isLine) {
    const type = !isLine && x.length > 5000 ? "scattergl" : "scatter";
    const mode = isLine ? "lines" : "markers";
    await Plotly.newPlot(place, [{ type, mode, x, y, marker: { size: MARK, color: COLOR }, line: { color: COLOR, width: 2 }, hoverinfo: "none" }],
      { hovermode: "closest" }, { responsive: true });
    return (first, last) => Plotly.relayout(place, { "xaxis.range": [first, last] });
  },
  async echarts(place, x, y, isLine) {
    const chart = echarts.init(place, null, { renderer: "canvas" });
    const data = new Float64Array(2 * x.length);
    for (let at = 0; at < x.length; at += 1) [data[2 * at], data[2 * at + 1]] = [x[at], y[at]];
    const finished = () => new Promise((done) => {
      const listen = () => { chart.off("finished", listen); done(); };
      chart.on("finished", listen);
    });
    const first = finished();
    chart.setOption({
      animation: false, aria: { enabled: true }, xAxis: { type: "value", scale: true }, yAxis: { type: "value", scale: true },
      dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: isLine ? "none" : "filter" }], dataset: { source: data, dimensions: ["x", "y"] },
      series: [{ type: isLine ? "line" : "scatter", encode: { x: "x", y: "y" }, symbolSize: MARK, showSymbol: !isLine, itemStyle: { color: COLOR },
        lineStyle: { color: COLOR, width: 2 }, large: !isLine && x.length > 2000, progressive: 0, ...(isLine ? { sampling: "lttb" } : {}) }] });
    await first;
    return (startValue, endValue) => {
      const next = finished();
      chart.dispatchAction({ type: "dataZoom", startValue, endValue });
      return next;
    };
  },
  async uplot(place, x, y, isLine) {
    const order = [...x.keys()].sort((a, b) => x[a] - x[b]);
    const data = [order.map((at) => x[at]), order.map((at) => y[at])];
    const box = place.getBoundingClientRect();
    const series = isLine ? { stroke: COLOR, width: 2, points: { show: false } } : { stroke: COLOR, paths: () => null, points: { show: true, size: MARK, fill: COLOR } };
    const plot = new uPlot({ width: box.width, height: box.height - 40, scales: { x: { time: false } }, series: [{}, series] }, data, place);
    const painted = () => new Promise((done) => plot.hooks.draw = [done]);
    await painted();
    return (min, max) => {
      const next = painted();
      plot.setScale("x", { min, max });
      return next;
    };
  },
  async chartjs(place, x, y, isLine) {
    const order = isLine ? [...x.keys()].sort((a, b) => x[a] - x[b]) : [...x.keys()];
    const data = order.map((at) => ({ x: x[at], y: y[at] }));
    const chart = new Chart(place.appendChild(document.createElement("canvas")), { type: isLine ? "line" : "scatter",
      data: { datasets: [{ data, pointRadius: isLine ? 0 : MARK / 2, backgroundColor: COLOR, borderColor: COLOR, borderWidth: isLine ? 2 : 0 }] },
      options: { animation: false, parsing: false, normalized: true, maintainAspectRatio: false, plugins: { legend: { display: false },
        decimation: { enabled: isLine, algorithm: "min-max" } }, scales: { x: { type: "linear" } } } });
    return (min, max) => {
      Object.assign(chart.options.scales.x, { min, max });
      chart.update("none");
    };
  },
  async observable(place, x, y, isLine) {
    const box = place.getBoundingClientRect();
    const order = isLine ? [...x.keys()].sort((a, b) => x[a] - x[b]) : [...x.keys()];
    const [xs, ys] = [order.map((at) => x[at]), order.map((at) => y[at])];
    const draw = (domain) => {
      const mark = isLine ? Plot.lineY(ys, { x: xs, y: ys, stroke: COLOR, clip: true }) : Plot.dot(ys, { x: xs, y: ys, r: MARK / 2, fill: COLOR, clip: true });
      place.replaceChildren(Plot.plot({ width: box.width, height: box.height, ariaLabel: "marks", x: domain ? { domain } : {}, marks: [mark] }));
    };
    draw();
    return (first, last) => draw([first, last]);
  },
  async canvas(place, x, y, isLine) {
    const box = place.getBoundingClientRect();
    const canvas = place.appendChild(Object.assign(document.createElement("canvas"), { width: box.width, height: box.height }));
    const pen = canvas.getContext("2d");
    const disc = Object.assign(document.createElement("canvas"), { width: MARK + 2, height: MARK + 2 });
    const stamp = disc.getContext("2d");
    stamp.fillStyle = COLOR;
    stamp.arc(MARK / 2 + 1, MARK / 2 + 1, MARK / 2, 0, 7);
    stamp.fill();
    const ends = (values) => values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const [across, up] = [ends(x), ends(y)];
    const order = isLine ? [...x.keys()].sort((a, b) => x[a] - x[b]) : [...x.keys()];
    const [left, low, width, height] = [60, box.height - 40, box.width - 80, box.height - 60];
    const draw = (first, last) => {
      pen.clearRect(0, 0, box.width, box.height);
      pen.fillStyle = "#57606a";
      for (let at = 0; at <= 5; at += 1) {
        pen.fillText(String(Math.round(first + ((last - first) * at) / 5)), left + (width * at) / 5, low + 24);
        pen.fillText(String(Math.round(up[0] + ((up[1] - up[0]) * at) / 5)), 8, low - (height * at) / 5);
      }
      pen.save();
      pen.beginPath();
      pen.rect(left, low - height, width, height);
      pen.clip();
      pen.strokeStyle = COLOR;
      pen.lineWidth = 2;
      pen.beginPath();
      // Of each column of pixels a line shows the first, the least, the greatest and the last value.
      let column = [];
      const end = () => {
        if (!column.length) return;
        const heights = column.map((point) => point[1]);
        for (const py of [heights[0], Math.min(...heights), Math.max(...heights), heights.at(-1)]) pen.lineTo(column[0][0], py);
      };
      for (const at of order) {
        const [px, py] = [left + ((x[at] - first) / (last - first)) * width, low - ((y[at] - up[0]) / (up[1] - up[0])) * height];
        if (px < left - MARK || px > left + width + MARK) continue;
        if (!isLine) pen.drawImage(disc, px - MARK / 2 - 1, py - MARK / 2 - 1);
        else if (column.length && Math.floor(px) === Math.floor(column[0][0])) column.push([px, py]);
        else {
          end();
          column = [[px, py]];
        }
      }
      end();
      if (isLine) pen.stroke();
      pen.restore();
    };
    draw(...across);
    return (first, last) => draw(first, last);
  },
};
(async () => {
  const page = JSON.parse(document.getElementById("page").textContent);
  const traces = page.parts[0].data.filter((trace) => trace.type.startsWith("scatter") && trace.ids);
  const [x, y] = ["x", "y"].map((name) => traces.flatMap((trace) => trace[name]));
  const place = document.getElementById("figure");
  const show = await candidates[place.dataset.library](place, x, y, place.dataset.kind === "values");
  const [first, last] = x.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  globalThis.zoomIn = () => show(first + (last - first) / 4, last - (last - first) / 4);
  document.documentElement.dataset.drawn = "true";
})();
