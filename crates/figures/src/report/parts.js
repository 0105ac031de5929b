/* Elements of a page. Text of events becomes text nodes, and nothing else. */
const SVG = "http://www.w3.org/2000/svg";

function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

const byId = (id) => document.getElementById(id);

/* A value as the page tells it: characters that hide are codes, and what is not there is said. */
const said = (value) => (value === "" ? "(empty)" : shown(value));

/* A number that people read: at most six digits, without zeros at its end. */
function short(number) {
  if (Number.isInteger(number)) return thousands(number);
  return String(Number(number.toPrecision(6)));
}

/* "a, b and 3 more" of many. */
function listed(texts, most, what) {
  const shown = texts.slice(0, most);
  const rest = texts.length - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${thousands(rest)} more${what ? " " + what : ""}` : "");
}

/* Times are microseconds since 1970, shown as they stand in the zone of the page. */
function timeParts(time) {
  const milliseconds = Math.floor(time / 1000);
  const text = new Date(milliseconds).toISOString();
  const microseconds = time - milliseconds * 1000;
  return { date: text.slice(0, text.indexOf("T")), clock: text.slice(text.indexOf("T") + 1, -1) + (microseconds ? String(microseconds).padStart(3, "0") : "") };
}

function fullTime(time) {
  if (time === null || time === undefined) return "no time";
  const { date, clock } = timeParts(time);
  return date + " " + clock.replace(/\.000$/, "");
}

function clockTime(time) {
  return time === null || time === undefined ? "no time" : timeParts(time).clock.replace(/\.000$/, "");
}

const SECOND = 1e6, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const WIDTHS = [SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
  15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

/* "one minute", "15 minutes". */
function spanName(width) {
  for (const [unit, name] of [[DAY, "day"], [HOUR, "hour"], [MINUTE, "minute"], [SECOND, "second"]]) {
    if (width % unit === 0) return width === unit ? (name === "hour" ? "one hour" : "one " + name) : `${thousands(width / unit)} ${name}s`;
  }
  return `${width / SECOND} seconds`;
}

/* The beginning of a span, as far as its width needs. */
function spanStart(time, width, withDate) {
  const { date, clock } = timeParts(time);
  if (width >= DAY) return date;
  const shown = width >= MINUTE ? clock.slice(0, 5) : clock.slice(0, 8);
  return withDate ? `${date} ${shown}` : shown;
}

/* An SQL literal. */
const quoted = (text) => "'" + String(text).replace(/'/g, "''") + "'";

/* A statement with a button that copies it. */
function statement(text) {
  const code = el("pre", { class: "sql" }, said(text));
  const button = el("button", { type: "button", onclick: () => copyText(text, code, button) }, "Copy SQL");
  return el("div", { class: "statement" }, code, button);
}

function copyText(text, element, button) {
  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Selected: press Ctrl-C";
  };
  if (!navigator.clipboard) return select();
  navigator.clipboard.writeText(text).then(() => { button.textContent = "Copied"; }, select);
}

/* Hands a file to the reader. */
function download(name, type, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/* A value of a CSV file. A beginning that a spreadsheet would compute is kept from it by an apostrophe. */
function csvValue(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}
