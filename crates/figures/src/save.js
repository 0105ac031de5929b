// Files of a figure: the picture has the title, the words and the legend of the page, and shows what the page shows.
//
// HTML becomes shapes and lines of text, since programs other than browsers draw no HTML inside SVG.
"use strict";
const save = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const ROOM = 16;
  // Browsers draw no higher canvas.
  const HIGHEST = 16000;
  const make = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const pen = document.createElement("canvas").getContext("2d");
  const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
  // Text in lines of at most this width.
  const wrapped = (text, font, width) => {
    pen.font = font;
    const lines = [];
    let line = "";
    for (const word of text.split(/\s+/).filter(Boolean)) {
      const longer = line ? `${line} ${word}` : word;
      if (line && pen.measureText(longer).width > width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    return line ? [...lines, line] : lines;
  };
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Title, heading, note and legend above a picture. Returns their height.
  const head = (svg, part, width) => {
    let y = ROOM;
    const write = (text, size, weight, color) => {
      for (const line of wrapped(text, `${weight} ${size}px ${FONT}`, width - 2 * ROOM)) {
        y += Math.round(size * 1.35);
        svg.append(make("text", { x: ROOM, y, fill: color, "font-family": FONT, "font-size": size, "font-weight": weight }, line));
      }
    };
    write(document.title, 20, 600, css("--ink"));
    const heading = part.section.querySelector("h2")?.textContent;
    if (heading) write(heading, 16, 600, css("--ink"));
    write(part.section.querySelector(".note")?.textContent ?? "", 13, 400, css("--soft"));
    const entries = [...part.section.querySelectorAll(".legend:not(.scales) button")].filter((one) => one.getAttribute("aria-pressed") === "true");
    if (entries.length) {
      y += 24;
      let x = ROOM;
      pen.font = `400 13px ${FONT}`;
      for (const entry of entries.slice(0, 60)) {
        const text = entry.querySelector(".name").textContent;
        const wide = pen.measureText(text).width + 36;
        if (x > ROOM && x + wide > width - ROOM) {
          x = ROOM;
          y += 20;
        }
        const symbol = entry.querySelector(".symbol");
        svg.append(make("text", { x, y, fill: getComputedStyle(symbol).color, "font-size": 13, "font-family": FONT }, symbol.textContent));
        svg.append(make("text", { x: x + 16, y, fill: css("--ink"), "font-size": 13, "font-family": FONT }, text));
        x += wide;
      }
    }
    return y + 12;
  };
  // The part of a text that lies left of a place, with an ellipsis.
  const cut = (range, node, first, last, right) => {
    let [low, high] = [first, last];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      range.setStart(node, first);
      range.setEnd(node, middle);
      if (range.getBoundingClientRect().right <= right - 8) low = middle;
      else high = middle - 1;
    }
    return `${node.data.slice(first, low).trimEnd()}…`;
  };
  // One text node, line by line.
  const writeText = (svg, node, origin) => {
    if (!node.data.trim()) return;
    const parent = node.parentElement;
    const style = getComputedStyle(parent);
    if (style.visibility === "hidden" || !parent.checkVisibility()) return;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
    if (!boxes.length) return;
    const keeps = style.whiteSpace.startsWith("pre");
    const lines = [];
    if (boxes.length === 1) lines.push([0, node.data.length, boxes[0]]);
    else {
      let start = 0;
      let top = null;
      let box = null;
      for (let at = 0; at < node.data.length; at += 1) {
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const one = range.getClientRects()[0];
        if (!one || one.width === 0) continue;
        if (top !== null && one.top > top + 4) {
          lines.push([start, at, box]);
          [start, box] = [at, null];
        }
        box = box === null ? { left: one.left, right: one.right, top: one.top, height: one.height } : Object.assign(box, { right: Math.max(box.right, one.right) });
        top = one.top;
      }
      if (box) lines.push([start, node.data.length, box]);
    }
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const measure = pen.measureText("x");
    const [up, down] = [measure.fontBoundingBoxAscent, measure.fontBoundingBoxDescent];
    const cutter = parent.closest(".detail, .one-line");
    const right = cutter && getComputedStyle(cutter).overflow === "hidden" ? cutter.getBoundingClientRect().right : Infinity;
    if (style.writingMode.startsWith("vertical")) {
      // Heads of columns are read from below.
      const box = parent.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2 + (up - down) / 2 - origin.x, box.bottom - origin.y];
      svg.append(make("text", { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(-90)`, fill: style.color, "font-family": style.fontFamily,
        "font-size": style.fontSize }, node.data));
      return;
    }
    for (const [from, to, box] of lines) {
      const whole = keeps ? node.data.slice(from, to).replace(/\n/g, "") : node.data.slice(from, to).replace(/\s+/g, " ");
      const text = box.right > right + 1 ? cut(range, node, from, to, right) : whole;
      if (!text.trim()) continue;
      const y = box.top + (box.height - up - down) / 2 + up - origin.y;
      const line = make("text", { x: (box.left - origin.x).toFixed(1), y: y.toFixed(1), fill: style.color, "font-family": style.fontFamily,
        "font-size": style.fontSize, "font-weight": style.fontWeight }, text.trimEnd());
      line.setAttribute("xml:space", "preserve");
      svg.append(line);
    }
  };
  const clear = (color) => color === "transparent" || /^rgba\(.*, 0\)$/.test(color);
  // The ground and the borders of one element.
  const writeBox = (svg, one, origin) => {
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    if (box.width === 0 || box.height === 0 || style.visibility === "hidden" || !one.checkVisibility()) return;
    const [x, y] = [box.left - origin.x, box.top - origin.y];
    const sides = ["Top", "Right", "Bottom", "Left"].map((side) => ({
      width: style[`border${side}Style`] === "none" ? 0 : parseFloat(style[`border${side}Width`]), color: style[`border${side}Color`] }));
    const even = sides.every((side) => side.width > 0 && side.color === sides[0].color && side.width === sides[0].width);
    const radius = Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
    const rect = { x: x.toFixed(1), y: y.toFixed(1), width: box.width.toFixed(1), height: box.height.toFixed(1), rx: style.borderTopLeftRadius.endsWith("%") ? box.height / 2 : radius };
    if (!clear(style.backgroundColor) || (even && !clear(sides[0].color))) {
      svg.append(make("rect", { ...rect, fill: clear(style.backgroundColor) ? "none" : style.backgroundColor, opacity: style.opacity,
        ...(even ? { stroke: sides[0].color, "stroke-width": sides[0].width } : {}) }));
    }
    if (even) return;
    const [right, low] = [x + box.width, y + box.height];
    const ends = [[x, y, right, y], [right, y, right, low], [x, low, right, low], [x, y, x, low]];
    for (const [at, side] of sides.entries()) {
      if (side.width === 0 || clear(side.color)) continue;
      const [x1, y1, x2, y2] = ends[at];
      svg.append(make("line", { x1, y1, x2, y2, stroke: side.color, "stroke-width": side.width }));
    }
  };
  const SKIPPED = ".toolbar, .search, .actions, button.fold, .leaf, summary, script, style, input";
  const written = (part, most) => {
    part.section.classList.add("saving");
    const inside = part.written;
    const frame = inside.getBoundingClientRect();
    const [width, height] = [Math.max(320, Math.ceil(inside.scrollWidth)) + 2 * ROOM, Math.ceil(inside.scrollHeight)];
    const svg = make("svg", {});
    const above = head(svg, part, width);
    const origin = { x: frame.left - ROOM, y: frame.top - above };
    const walker = document.createTreeWalker(inside, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
      (node.nodeType === Node.ELEMENT_NODE && (node.matches(SKIPPED) || node.hidden) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    let more = false;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const place = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
      if (place.getBoundingClientRect().top - origin.y > most - 2 * ROOM - 24) {
        more = true;
        break;
      }
      if (node.nodeType === Node.ELEMENT_NODE) writeBox(svg, node, origin);
      else writeText(svg, node, origin);
    }
    part.section.classList.remove("saving");
    const high = Math.min(above + height + ROOM, most);
    if (more) svg.append(make("text", { x: ROOM, y: high - 8, fill: css("--soft"), "font-family": FONT, "font-size": 13 }, "There is more: the SVG has all of it."));
    return [svg, width, high];
  };
  const drawn = async (part) => {
    const [width, height] = [part.place.clientWidth, part.place.clientHeight];
    const url = await Plotly.toImage(part.place, { format: "svg", width, height });
    const inner = new DOMParser().parseFromString(decodeURIComponent(url.slice(url.indexOf(",") + 1)), "image/svg+xml").documentElement;
    // Labels that the page hides are not in the picture.
    const [here, there] = [part.place, inner].map((where) => [...where.querySelectorAll(".textpoint text")]);
    if (here.length === there.length) {
      for (const [at, label] of here.entries()) if (label.classList.contains("covered")) there[at].remove();
    }
    for (const mask of inner.querySelectorAll(".rangeslider-mask-min-opp-axis, .rangeslider-mask-max-opp-axis")) mask.remove();
    const svg = make("svg", {});
    const above = head(svg, part, width);
    inner.setAttribute("x", 0);
    inner.setAttribute("y", above);
    svg.append(document.importNode(inner, true));
    // Numbers of lines mean nothing without their list.
    let high = above + height;
    const lines = [...part.section.querySelectorAll(".references li")].map((line, at) => `${at + 1}: ${line.textContent}`);
    for (const line of lines.flatMap((text) => wrapped(text, `400 13px ${FONT}`, width - 2 * ROOM))) {
      high += 18;
      svg.append(make("text", { x: ROOM, y: high, fill: css("--ink"), "font-family": FONT, "font-size": 13 }, line));
    }
    return [svg, width, lines.length ? high + ROOM : high];
  };
  const download = (url, name) => element("a", "", { href: url, download: name }).click();
  const word = (text) => text.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60);
  // Each part of a page has a name of its own.
  const nameOf = (part, parts) => {
    const headings = parts.map((one) => word(one.section.querySelector("h2")?.textContent ?? ""));
    const at = parts.indexOf(part);
    const again = headings.slice(0, at).filter((heading) => heading === headings[at]).length;
    return [word(document.title) || "figure", headings[at], again ? String(again + 1) : ""].filter(Boolean).join("-");
  };
  return async (part, parts, format) => {
    const isPng = format === "png";
    const [svg, width, height] = part.place ? await drawn(part) : written(part, isPng ? HIGHEST : Infinity);
    for (const [key, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(key, value);
    svg.prepend(make("rect", { width: "100%", height: "100%", fill: css("--paper") }));
    const text = new XMLSerializer().serializeToString(svg);
    const name = `${nameOf(part, parts)}.${format}`;
    const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    if (!isPng) return download(url, name);
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.max(1, Math.min(2, HIGHEST / height, HIGHEST / width));
    const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.drawImage(image, 0, 0);
    return download(canvas.toDataURL("image/png"), name);
  };
})();
