/* The lists of the page: what to read first, patterns, hidden names, and leads. */
const FIRST_SHOWN = 50;
const SMALL = 10;
const MEMBERS_SHOWN = 50;
const CHIPS = 4;

/* The rows of an entry as one line of facts: "from cmd.exe, amy on host1". */
function facts(page, row) {
  const { parent, account, host } = page.rows;
  const parts = [];
  if (parent && parent[row] !== null) parts.push("from " + said(page.text(parent[row])));
  if (account && account[row] !== null) parts.push(said(page.text(account[row])));
  let line = parts.join(", ");
  if (page.hosts > 1 && host && host[row] !== null) line += (line ? " on " : "on ") + said(page.text(host[row]));
  return line;
}

/* The facts that all members of a pattern have in common. */
function factsOf(page, cluster) {
  const only = (role) => {
    const counts = cluster[role + "s"];
    return !cluster.more && counts.size === 1 ? [...counts.keys()][0] : null;
  };
  const { parent } = page.rows;
  const parents = new Set(cluster.rows.map((row) => (parent ? parent[row] : null)));
  const parts = [];
  if (parents.size === 1 && page.isComplete && !parents.has(null)) parts.push("from " + said(page.text([...parents][0])));
  if (only("account") !== null) parts.push(said(page.text(only("account"))));
  const host = page.hosts > 1 ? only("host") : null;
  return parts.join(", ") + (host === null ? "" : (parts.length ? " on " : "on ") + said(page.text(host)));
}

function sparkline(page, places, height) {
  const spans = 60;
  const [start, end] = page.span;
  if (start === null) return null;
  const counts = new Array(spans).fill(0);
  const at = (time) => Math.min(spans - 1, Math.floor(((time - start) / (end - start + 1)) * spans));
  page.eventsOf(places, (time, events) => { counts[at(time)] += events; });
  const most = Math.max(...counts, 1);
  const bars = counts.map((count, i) => count === 0 ? null
    : svg("rect", { x: i * 2, y: height - Math.max(3, (count / most) * height), width: 1.6, height: Math.max(3, (count / most) * height) }));
  return svg("svg", { class: "spark", viewBox: `0 0 ${spans * 2} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, bars);
}

/* In which features a place differs from another, in words. */
function differences(page, place, other) {
  const a = page.places.features[place], b = page.places.features[other];
  const words = [];
  page.features.forEach((feature, k) => {
    if (a[k] === b[k]) return;
    const call = feature.sql.toLowerCase();
    const difference = Math.abs(a[k] - b[k]);
    if (call.startsWith("cmdline_tokens(")) words.push(`${counted(difference, "delimiter")} ${a[k] < b[k] ? "fewer" : "more"}`);
    else if (call.startsWith("path_score(")) words.push(feature.name === "path" ? "another path" : "another " + said(feature.name));
    else if (call.includes("is_system_session(")) words.push(a[k] ? "in a system session" : "in a user's session");
    else if (call.startsWith("string_score(")) words.push("another " + said(feature.name));
    else words.push(`${said(feature.name)} ${short(a[k])} instead of ${short(b[k])}`);
  });
  return words;
}

/* The short labels that say why an entry is odd: some of them, or all. The reasons of the engine come first. */
function chips(page, view, entry, most) {
  const made = [];
  const row = entry.row;
  for (const reason of page.reasons(row)) made.push(el("li", { class: "why" }, said(reason)));
  if (entry.place !== null) {
    const joins = page.joinsAt(entry.place);
    if (page.clustering) {
      const ratio = joins === null ? null : joins / view.eps;
      const words = ratio === null ? "like nothing else" : `${ratio < 10 ? ratio.toPrecision(2) : thousands(Math.round(ratio))} \u00d7 eps from the nearest`;
      made.push(el("li", { class: "why" }, words));
    }
    const nearest = page.nearest(entry.place);
    if (nearest >= 0) {
      const words = differences(page, entry.place, nearest);
      if (words.length) made.push(el("li", { class: "like" }, `like ${said(page.nameOf(nearest))}, but ${listed(words, 3)}`));
    }
  }
  const { name, parent } = page.rows;
  if (name && page.nameCounts.get(name[row]) === 1) made.push(el("li", { class: "why" }, `the only ${said(page.text(name[row]))} here`));
  if (parent && parent[row] !== null && page.parentCounts.get(parent[row]) === 1) made.push(el("li", { class: "why" }, `the only one from ${said(page.text(parent[row]))}`));
  if (!made.length) return null;
  const shown = made.slice(0, most);
  return el("ul", { class: "chips" }, shown, made.length > shown.length ? el("li", { class: "more" }, `and ${thousands(made.length - shown.length)} more`) : null);
}

function command(page, row, whole) {
  const { text } = page.rows;
  if (!text || text[row] === null) return null;
  const others = page.rows.varies && page.rows.varies[row] ? el("span", { class: "size" }, " and others of this form") : null;
  return el("code", { class: whole ? "cmd whole" : "cmd" }, said(page.text(text[row])) || "(empty)", others);
}

function star(page, row) {
  const key = page.key(row);
  const button = el("button", { type: "button", class: "star", "aria-pressed": String(page.isStarred(key)), title: "Star", "aria-label": "Star" }, page.isStarred(key) ? "\u2605" : "\u2606");
  button.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    page.keep(key, { star: !page.isStarred(key) });
    button.textContent = page.isStarred(key) ? "\u2605" : "\u2606";
    button.setAttribute("aria-pressed", String(page.isStarred(key)));
  });
  return button;
}

function noteField(page, row) {
  const key = page.key(row);
  const field = el("textarea", { rows: 2, "aria-label": "Note", placeholder: "Your note" });
  field.value = page.kept(key).note || "";
  field.addEventListener("input", () => page.keep(key, { note: field.value }));
  return field;
}

/* An entry that opens: its summary at once, its inside when it is opened. */
function opening(summary, fill) {
  const details = el("details", {}, el("summary", {}, summary));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(el("div", { class: "inside" }, fill()));
  });
  return details;
}

/* One entry of the list to read first. */
function oddEntry(page, view, entry, rank) {
  const row = entry.row;
  const { events, name } = page.rows;
  const many = entry.cluster ? `${thousands(entry.cluster.events)} alike` : events[row] > 1 ? `${thousands(events[row])} times` : null;
  const names = entry.cluster ? patternNames(page, entry.cluster) : [el("b", {}, name && name[row] !== null ? said(page.text(name[row])) : said(page.title))];
  const score = page.score(row);
  const summary = [
    el("span", { class: "rank" }, String(rank)),
    el("time", {}, page.severalDays ? fullTime(page.rows.first[row]) : clockTime(page.rows.first[row])),
    el("span", { class: "body" },
      el("span", { class: "who" }, score === null ? null : el("span", { class: "score", title: "how unusual it is, as in dbcluster hunt" }, score.toFixed(1)), names, many ? el("span", { class: "size" }, many) : null, el("span", { class: "facts" }, " " + (entry.cluster ? factsOf(page, entry.cluster) : facts(page, row)))),
      command(page, row, false), chips(page, view, entry, page.chips)),
    star(page, row),
  ];
  return el("li", { class: entry.cluster ? "entry small" : "entry odd" }, opening(summary, () => inside(page, view, entry)));
}

/* All that the page knows of an event: its values, its nearest neighbour, and what happened around it. */
function inside(page, view, entry) {
  const row = entry.row;
  const parts = [command(page, row, true), chips(page, view, entry, Infinity)];
  if (entry.cluster) parts.push(members(page, view, entry.cluster));
  if (entry.place !== null) parts.push(comparison(page, entry.place));
  parts.push(around(page, row));
  parts.push(valuesOf(page, row));
  const where = page.where(row);
  if (where) parts.push(statement(where));
  parts.push(noteField(page, row));
  return parts;
}

function valuesOf(page, row) {
  const values = page.rows.values && page.rows.values[row];
  const pairs = values ? page.columns.map((column, i) => [column, values[i]]).filter(([, value]) => value !== null)
    : ["name", "parent", "account", "host", "path"].filter((role) => page.rows[role] && page.rows[role][row] !== null).map((role) => [page.label(role), page.rows[role][row]]);
  if (!pairs.length) return null;
  return el("dl", { class: "values" }, pairs.flatMap(([column, value]) => [el("dt", {}, said(column)), el("dd", {}, said(page.text(value)))]));
}

function comparison(page, place) {
  const nearest = page.nearest(place);
  if (nearest < 0) return null;
  const row = page.rowsOf(nearest)[0];
  const line = (head, cells) => el("tr", {}, el("th", { scope: "row" }, head), cells.map((cell) => el("td", {}, cell)));
  const lines = page.features.map((feature, k) => {
    const [a, b] = [page.places.features[place][k], page.places.features[nearest][k]];
    const made = line(said(feature.name), [short(a), short(b)]);
    if (a !== b) made.className = "differs";
    return made;
  });
  return el("div", { class: "scroll", tabindex: "0" }, el("table", {}, el("caption", {}, "Beside the nearest other event"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), el("th", { scope: "col" }, "this"), el("th", { scope: "col" }, "nearest"))),
    el("tbody", {}, lines, row === undefined ? null : line("event", [said(page.nameOf(place)), el("span", {}, el("b", {}, said(page.nameOf(nearest))), " ", command(page, row, true))]))));
}

/* The events within 30 seconds on the same host. */
function around(page, row) {
  const { first, host } = page.rows;
  if (first === undefined || first[row] === null) return null;
  const from = first[row] - 30 * SECOND, to = first[row] + 30 * SECOND;
  const near = page.byTime(from, to).filter((other) => other !== row && (!host || host[other] === host[row]));
  const head = el("h3", {}, "30 seconds around it", host && host[row] !== null ? " on " + said(page.text(host[row])) : "");
  const more = page.isComplete ? null : page.aroundStatement(row);
  if (!near.length) return [head, el("p", { class: "soft" }, page.isComplete ? "Nothing else happened." : "No other row of this page."), more ? statement(more) : null];
  near.sort((a, b) => Math.abs(first[a] - first[row]) - Math.abs(first[b] - first[row]));
  const shown = near.slice(0, MEMBERS_SHOWN).sort((a, b) => first[a] - first[b]);
  return [head, eventList(page, shown), near.length > shown.length ? el("p", { class: "soft" }, `${thousands(near.length - shown.length)} more are further from it.`) : null, more ? statement(more) : null];
}

/* Events, one in a line. */
function eventList(page, rows) {
  return el("ol", { class: "events" }, rows.map((row) => el("li", {},
    el("time", {}, page.severalDays ? fullTime(page.rows.first[row]) : clockTime(page.rows.first[row])), " ",
    page.rows.name && page.rows.name[row] !== null ? el("b", {}, said(page.text(page.rows.name[row]))) : null, " ",
    page.rows.events[row] > 1 ? el("span", { class: "size" }, thousands(page.rows.events[row]) + " times") : null, " ",
    command(page, row, true), " ", el("span", { class: "facts" }, facts(page, row)))));
}

/* The names of a pattern, the rarest first. */
function patternNames(page, cluster) {
  if (!cluster.names.size) return [el("b", {}, said(page.title))];
  const before = (a, b) => page.frequency(a) - page.frequency(b) || (a === null ? 1 : b === null ? -1 : a - b);
  const rarest = [], families = new Set();
  for (const name of cluster.names.keys()) {
    const family = page.familyOf(name);
    if (family && families.has(family)) continue;
    if (family) families.add(family);
    if (rarest.length === 3 && before(name, rarest[2]) >= 0) continue;
    rarest.push(name);
    rarest.sort(before);
    rarest.length = Math.min(3, rarest.length);
  }
  const shown = rarest.map((name) => said(page.familyOf(name) && cluster.names.size > 1 ? page.familyOf(name).form : page.text(name))).join(", ");
  const more = cluster.names.size - rarest.length;
  return [el("b", {}, shown), more > 0 ? el("span", { class: "soft" }, ` and ${counted(more, "more name", "more names")}`) : null];
}

/* The text that all members have in common, the rest as <*>. */
function commonText(page, cluster) {
  const { text } = page.rows;
  if (!text) return null;
  const all = [...new Set(cluster.rows.map((row) => text[row]).filter((value) => value !== null))];
  if (!all.length) return null;
  if (all.length === 1) return page.text(all[0]);
  const pieces = all.slice(0, 40).map((value) => page.text(value).split(/(?<=[\s\\/=:,;"'&?-])/));
  const least = Math.min(...pieces.map((list) => list.length));
  let start = 0, end = 0;
  while (start < least && pieces.every((list) => list[start] === pieces[0][start])) start++;
  while (end < least - start && pieces.every((list) => list[list.length - 1 - end] === pieces[0][pieces[0].length - 1 - end])) end++;
  const common = pieces[0].slice(0, start).concat(pieces[0].slice(pieces[0].length - end)).join("");
  if (common.length < 12) return `${page.text(all[0])}  (and ${counted(all.length - 1, "other text")})`;
  return pieces[0].slice(0, start).join("") + "<*>" + pieces[0].slice(pieces[0].length - end).join("");
}

function patternEntry(page, view, cluster) {
  const where = [];
  const orMore = cluster.more ? " or more" : "";
  if (cluster.hosts.size > 1) where.push(counted(cluster.hosts.size, "host") + orMore);
  if (cluster.accounts.size > 1) where.push(counted(cluster.accounts.size, "account") + orMore);
  const form = commonText(page, cluster);
  const summary = [
    el("span", { class: "count" }, thousands(cluster.events)),
    sparkline(page, cluster.places, 18),
    el("span", { class: "body" }, el("span", { class: "who" }, patternNames(page, cluster), el("span", { class: "facts" }, where.length ? " \u00b7 " + where.join(", ") : "")),
      form === null ? null : el("code", { class: "cmd" }, said(form))),
  ];
  return el("li", { class: "entry" }, opening(summary, () => [members(page, view, cluster)]));
}

/* The members of a pattern: each of its names, then its events. */
function members(page, view, cluster) {
  const names = [...cluster.names].sort((a, b) => a[1] - b[1]);
  const rows = spread(page, cluster);
  const told = rows.reduce((sum, row) => sum + page.rows.events[row], 0);
  const query = view.members(cluster);
  return [
    names.length > 1 ? el("ul", { class: "chips" }, names.slice(0, 100).map(([name, events]) => el("li", {}, said(page.text(name)), el("span", { class: "size" }, thousands(events)))), names.length > 100 ? el("li", {}, `${thousands(names.length - 100)} more`) : null) : null,
    el("p", { class: "soft" }, [[cluster.hosts, "host"], [cluster.accounts, "account"]].filter(([all]) => all.size).map(([all, what]) => `${counted(all.size, what)}${cluster.more ? " or more" : ""}: ${listed([...all].sort((a, b) => b[1] - a[1]).map(([value, events]) => `${said(page.text(value))} ${thousands(events)}`), 5)}`).join(". ")),
    eventList(page, rows),
    told < cluster.events ? el("p", { class: "soft" }, `${thousands(cluster.events - told)} of ${thousands(cluster.events)} events are in no line above.`) : null,
    query ? statement(query) : null,
  ];
}

/* Up to 50 rows of a pattern in order of time, each name among them. */
function spread(page, cluster) {
  if (cluster.rows.length <= MEMBERS_SHOWN) return cluster.rows;
  const chosen = new Set();
  const seen = new Set();
  const { name } = page.rows;
  for (const row of cluster.rows) if (name && !seen.has(name[row])) { seen.add(name[row]); chosen.add(row); }
  chosen.add(cluster.rows[0]).add(cluster.rows[cluster.rows.length - 1]);
  for (const row of cluster.rows) { if (chosen.size >= MEMBERS_SHOWN) break; chosen.add(row); }
  return [...chosen].sort((a, b) => page.order(a, b));
}

/* Names that no row of the page is called by. */
function hiddenNames(page, view) {
  if (!page.rows.name) return { hidden: [], names: 0, all: 0 };
  const shown = new Set();
  for (const entry of view.noise) shown.add(page.rows.name[entry.row]);
  for (const cluster of view.clusters) if (cluster.row !== undefined) shown.add(page.rows.name[cluster.row]);
  const within = new Map();
  for (const cluster of view.clusters) for (const name of cluster.names.keys()) if (!shown.has(name)) within.set(name, cluster);
  const hidden = [], families = new Map();
  for (const [name, cluster] of within) {
    const family = page.familyOf(name);
    const score = page.nameScores.get(name) ?? -Infinity;
    const known = family && families.get(family);
    if (known) {
      known.count += 1;
      known.events += page.nameCounts.get(name);
    } else hidden.push({ name, cluster, family, count: 1, events: page.nameCounts.get(name), score });
    if (family && !known) families.set(family, hidden[hidden.length - 1]);
  }
  hidden.sort((a, b) => a.events - b.events || b.score - a.score || a.name - b.name);
  return { hidden, names: within.size, all: page.nameCounts.size };
}

/* Whether a text becomes another by one change: a letter more, less, other, or two exchanged. */
function isOneChange(a, b) {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return (x.length <= 1 && y.length <= 1) || (x.length === 2 && y.length === 2 && x[0] === y[1] && x[1] === y[0]);
}

/* Rare names that are one letter from a frequent one. They are the same at every eps. */
function lookAlikes(page) {
  const names = [...page.nameCounts].filter(([name]) => name !== null && page.text(name).length >= 9 && !page.familyOf(name)).sort((a, b) => a[1] - b[1]);
  const frequent = names.filter(([, events]) => events >= 3).map(([name, events]) => [name, events, page.text(name).toLowerCase()]);
  const alike = [];
  for (const [rare, few] of names.filter(([, events]) => events <= 5).slice(0, 1000)) {
    const text = page.text(rare).toLowerCase();
    const match = frequent.find(([name, events, other]) => name !== rare && events >= 3 * few && isOneChange(text, other));
    if (match) alike.push([rare, few, match]);
  }
  return alike;
}

/* Leads: what an investigator would look at next, each with the statement to go on. */
function leads(page, view) {
  const made = [];
  const lead = (title, items) => { if (items.length) made.push(el("section", { class: "lead" }, el("h3", {}, title), el("ul", {}, items))); };
  const item = (words, sql) => el("li", {}, sql ? opening([words], () => [statement(sql)]) : words);
  page.alike ||= lookAlikes(page);
  lead("Names one letter from a frequent one", page.alike.slice(0, 10).map(([rare, few, [name, events]]) =>
    item([el("b", {}, said(page.text(rare))), ` ${thousands(few)}, like `, el("b", {}, said(page.text(name))), ` ${thousands(events)}`], page.select("name", [page.text(rare), page.text(name)]))));
  page.inSeveral ||= [...page.folders].filter(([, folders]) => folders.size > 1).sort((a, b) => a[1].size - b[1].size);
  lead("One name in several folders", page.inSeveral.slice(0, 10).map(([name, folders]) =>
    item([el("b", {}, said(name)), ": ", listed([...folders].sort((a, b) => a[1] - b[1]).map(([folder, events]) => `${said(folder)} ${thousands(events)}`), 5)], page.select("name", page.spellings(name)))));
  lead("Patterns that mix many names: a smaller eps may be better", view.clusters.filter((cluster) => cluster.names.size >= 5).sort((a, b) => b.names.size - a.names.size).slice(0, 5).map((cluster) =>
    item([`${counted(cluster.names.size, "name")} in ${counted(cluster.events, page.event[0], page.event[1])}: `, patternNames(page, cluster)], view.members(cluster))));
  lead("Bursts", (view.bursts || []).slice(0, 5).map((burst) =>
    item([el("b", {}, spanStart(burst.start, page.histogram.width, true)), `: ${counted(burst.events, "event")} in ${spanName(page.histogram.width)}, ${thousands(burst.odd)} odd`], page.between(burst.start, burst.start + page.histogram.width))));
  return made;
}
