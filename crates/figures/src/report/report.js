/* The page: its data, what is seen of it at an eps under filters, and the hands of its reader. */
const original = "<!doctype html>\n" + document.documentElement.outerHTML;

async function dataOfPage() {
  const element = byId("data");
  if (element.dataset.encoding !== "gzip") return JSON.parse(element.textContent);
  const packed = Uint8Array.from(atob(element.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

class Page {
  constructor(data) {
    Object.assign(this, data);
    const rows = this.rows;
    const count = rows.count;
    rows.events ||= new Array(count).fill(1);
    rows.first ||= new Array(count).fill(null);
    rows.last ||= rows.first;
    this.ofPlace = this.places.events.map(() => []);
    this.skipped = [];
    for (let row = 0; row < count; row++) {
      const place = rows.place ? rows.place[row] : null;
      if (place === null) this.skipped.push(row);
      else this.ofPlace[place].push(row);
    }
    for (const list of this.ofPlace) list.sort((a, b) => this.order(a, b));
    this.skipped.sort((a, b) => this.order(a, b));
    this.skippedEvents = this.skipped.reduce((sum, row) => sum + (rows.events ? rows.events[row] : 1), 0);
    // Without an activity each event is a row.
    this.isComplete = !this.activity && !this.places.names;
    this.scaled = scaledPlaces(this.places, this.clustering);
    this.chips = CHIPS;
    this.nearestOf = new Map();
    this.nameCounts = new Map();
    this.parentCounts = new Map();
    this.nameScores = new Map();
    this.countNames();
    this.families = this.countFamilies();
    this.folders = this.countFolders();
    this.all = this.places.events.reduce((sum, events) => sum + events, this.leftOut);
    this.histogram = this.spans();
    this.hosts = this.values("host").size;
    this.timed = Array.from({ length: count }, (_, row) => row).filter((row) => rows.first[row] !== null).sort((a, b) => rows.first[a] - rows.first[b]);
    this.storeName = "dbcluster:" + this.title + ":" + count + ":" + (this.span[0] ?? "");
    this.notes = this.storedNotes();
  }

  text(index) { return index === null || index === undefined ? null : this.texts[index]; }
  label(role) { const found = this.roles.find((each) => each.role === role); return found ? found.label : role; }
  sql(role) { const found = this.roles.find((each) => each.role === role); return found ? found.sql : null; }
  order(a, b) { return (this.rows.first[a] ?? Infinity) - (this.rows.first[b] ?? Infinity) || a - b; }
  score(row) { return this.rows.score && row !== undefined ? this.rows.score[row] : null; }
  reasons(row) { return ((this.rows.reasons && this.rows.reasons[row]) || []).map((reason) => this.text(reason)); }
  rowsOf(place) { return this.ofPlace[place]; }

  joinsAt(place) {
    if (!this.clustering) return null;
    const values = [this.places.core[place], this.places.near[place]].filter((value) => value !== null);
    return values.length ? Math.min(...values) : null;
  }

  nearest(place) {
    if (!this.clustering || !this.places.features[place].length) return -1;
    if (!this.nearestOf.has(place)) this.nearestOf.set(place, nearestPlace(this.places, this.clustering.metric, this.scaled, place));
    return this.nearestOf.get(place);
  }

  /* The names at a place with their events, whether the rows tell them or not. */
  counts(place, role) {
    const told = this.places[role + "s"];
    const made = new Map();
    if (told) {
      for (let i = 0; i < told[place].length; i += 2) made.set(told[place][i], told[place][i + 1]);
    } else if (this.rows[role]) {
      for (const row of this.ofPlace[place]) made.set(this.rows[role][row], (made.get(this.rows[role][row]) || 0) + this.rows.events[row]);
    }
    return made;
  }

  nameOf(place) {
    let best = null, most = 0;
    for (const [name, events] of this.counts(place, "name")) if (events > most) { best = name; most = events; }
    return best === null ? this.title : this.text(best);
  }

  namedPlaces(look) {
    this.places.events.forEach((_, place) => { for (const name of this.counts(place, "name").keys()) look(name, place); });
  }

  countNames() {
    for (let place = 0; place < this.places.events.length; place++) {
      for (const [name, events] of this.counts(place, "name")) this.nameCounts.set(name, (this.nameCounts.get(name) || 0) + events);
    }
    const { name, parent, score, events } = this.rows;
    for (let row = 0; row < this.rows.count; row++) {
      if (parent) this.parentCounts.set(parent[row], (this.parentCounts.get(parent[row]) || 0) + events[row]);
      if (name && score && score[row] !== null) this.nameScores.set(name[row], Math.max(score[row], this.nameScores.get(name[row]) ?? -Infinity));
    }
  }

  /* Names that differ in their numbers alone are a family, if there are several: updates and installers have a name of their own each. */
  countFamilies() {
    const families = new Map();
    for (const [name, events] of this.nameCounts) {
      if (name === null) continue;
      const form = this.text(name).replace(/[0-9]+/g, "#");
      const family = families.get(form) || { form, names: 0, events: 0, first: name };
      family.names += 1;
      family.events += events;
      families.set(form, family);
    }
    return families;
  }

  /* The family of a name, if it has several names. */
  familyOf(name) {
    if (name === null) return null;
    this.familyByName ||= new Map();
    if (!this.familyByName.has(name)) {
      const family = this.families.get(this.text(name).replace(/[0-9]+/g, "#"));
      this.familyByName.set(name, family && family.names >= 5 ? family : null);
    }
    return this.familyByName.get(name);
  }

  /* The events of a name, with all of its family. */
  frequency(name) {
    const family = this.familyOf(name);
    return family ? family.events : this.nameCounts.get(name);
  }

  /* The folders in which each name is found, both without regard to capital letters. */
  countFolders() {
    const folders = new Map();
    const { path, events } = this.rows;
    for (let row = 0; path && row < this.rows.count; row++) {
      const text = this.text(path[row]);
      const cut = text === null ? -1 : Math.max(text.lastIndexOf("\\"), text.lastIndexOf("/"));
      if (cut < 0) continue;
      const name = text.slice(cut + 1).toLowerCase(), folder = text.slice(0, cut).toLowerCase();
      if (!folders.has(name)) folders.set(name, new Map());
      folders.get(name).set(folder, (folders.get(name).get(folder) || 0) + events[row]);
    }
    return folders;
  }

  spellings(name) {
    return [...this.nameCounts.keys()].map((each) => this.text(each)).filter((text) => text !== null && text.toLowerCase() === name);
  }

  values(role) {
    const all = new Map();
    for (let place = 0; place < this.places.events.length; place++) {
      for (const [value, events] of this.counts(place, role)) if (value !== null) all.set(value, (all.get(value) || 0) + events);
    }
    return all;
  }

  /* Spans of time: those of the page, or such that a day or an hour has some 100 of them. */
  spans() {
    const first = this.places.first.filter((time) => time !== null), last = this.places.last.filter((time) => time !== null);
    const least = first.reduce((a, b) => Math.min(a, b), Infinity), greatest = last.reduce((a, b) => Math.max(a, b), -Infinity);
    this.span = first.length ? [least, greatest] : [null, null];
    this.severalDays = first.length > 0 && timeParts(least).date !== timeParts(greatest).date;
    if (!first.length) return null;
    if (this.activity) return this.activity;
    const width = WIDTHS.find((width) => (greatest - least) / width <= 110) || WIDTHS[WIDTHS.length - 1];
    const start = Math.floor(least / width) * width;
    return { start, width, spans: Math.floor((greatest - start) / width) + 1 };
  }

  /* The events of places, each with a time near its own. */
  eventsOf(places, look) {
    if (!this.histogram) return;
    const { start, width } = this.histogram;
    for (const place of places) {
      if (this.activity) for (const [span, events] of this.cellsOf(place)) look(start + (span + 0.5) * width, events);
      else for (const row of this.ofPlace[place]) if (this.rows.first[row] !== null) look(this.rows.first[row], this.rows.events[row]);
    }
  }

  cellsOf(place) {
    if (!this.cellsByPlace) {
      this.cellsByPlace = this.places.events.map(() => []);
      const { cells } = this.activity;
      for (let i = 0; i < cells.length; i += 3) this.cellsByPlace[cells[i]].push([cells[i + 1], cells[i + 2]]);
    }
    return this.cellsByPlace[place];
  }

  byTime(from, to) {
    const { timed, rows } = this;
    let low = 0, high = timed.length;
    while (low < high) { const middle = (low + high) >> 1; if (rows.first[timed[middle]] < from) low = middle + 1; else high = middle; }
    const found = [];
    for (; low < timed.length && rows.first[timed[low]] <= to; low++) found.push(timed[low]);
    return found;
  }

  /* Statements to go on with. */
  select(role, values) {
    const column = this.sql(role);
    if (!this.table || !column || !values.length) return null;
    const known = values.filter((value) => value !== null);
    const condition = known.length === 1 ? `${column} = ${quoted(known[0])}` : `${column} IN (${known.map(quoted).join(", ")})`;
    return `SELECT *\nFROM ${this.table}\nWHERE ${known.length ? condition : column + " IS NULL"}${this.ordered()};`;
  }

  /* A time in a statement. Where the column knows its zone, the text has one, too: a text without means the zone of the column. */
  sqlTime(time) { return quoted(fullTime(time) + (this.zone ? "Z" : "")); }

  ordered() { return this.sql("time") ? `\nORDER BY ${this.sql("time")}` : ""; }

  between(from, to) {
    const column = this.sql("time");
    if (!this.table || !column) return null;
    return `SELECT *\nFROM ${this.table}\nWHERE ${column} >= ${this.sqlTime(from)} AND ${column} < ${this.sqlTime(to)}${this.ordered()};`;
  }

  /* The statement that finds the events around a row on its host: the page of many events does not have all of them. */
  aroundStatement(row) {
    const [time, host] = [this.sql("time"), this.sql("host")];
    if (!this.table || !time) return null;
    const value = host && this.rows.host ? this.text(this.rows.host[row]) : null;
    const first = this.rows.first[row];
    return `SELECT *\nFROM ${this.table}\nWHERE ${time} BETWEEN ${this.sqlTime(first - 30 * SECOND)} AND ${this.sqlTime(first + 30 * SECOND)}${value === null ? "" : `\n  AND ${host} = ${quoted(value)}`}${this.ordered()};`;
  }

  where(row) {
    if (!this.table) return null;
    const conditions = ["name", "text", "host"].filter((role) => this.sql(role) && this.rows[role]).map((role) => {
      const value = this.text(this.rows[role][row]);
      return value === null ? `${this.sql(role)} IS NULL` : `${this.sql(role)} = ${quoted(value)}`;
    });
    if (!conditions.length || (this.rows.varies && this.rows.varies[row])) return null;
    return `SELECT *\nFROM ${this.table}\nWHERE ${conditions.join("\n  AND ")}${this.ordered()};`;
  }

  /* Stars and notes: of the page as it was saved, and of this browser since. */
  key(row) { return [this.rows.first[row], this.rows.name && this.text(this.rows.name[row]), this.rows.text && this.text(this.rows.text[row]), this.rows.host && this.text(this.rows.host[row])].join("|"); }
  kept(key) { return this.notes[key] || {}; }
  isStarred(key) { return Boolean(this.kept(key).star); }

  keep(key, change) {
    const kept = { ...this.kept(key), ...change };
    if (!kept.star && !kept.note) delete this.notes[key];
    else this.notes[key] = kept;
    try { localStorage.setItem(this.storeName, JSON.stringify(this.notes)); } catch { /* A browser that keeps nothing still saves the page. */ }
  }

  storedNotes() {
    const saved = JSON.parse(byId("kept").textContent);
    try { return { ...saved, ...JSON.parse(localStorage.getItem(this.storeName) || "{}") }; } catch { return saved; }
  }
}

/* The clusters at an eps, and what of them passes the filters. */
class View {
  constructor(page, eps) {
    this.page = page;
    this.eps = eps;
    const { labels, clusters } = labelsAt(page.places, page.clustering, eps);
    this.labels = labels;
    this.clusters = Array.from({ length: clusters }, (_, id) => ({ id, places: [], events: 0, rows: [], names: new Map(), hosts: new Map(), accounts: new Map() }));
    this.noise = [];
    this.oddEvents = page.leftOut;
    labels.forEach((label, place) => {
      const events = page.places.events[place];
      if (label < 0) {
        this.oddEvents += events;
        for (const row of page.rowsOf(place)) this.noise.push({ row, place, cluster: null });
        return;
      }
      const cluster = this.clusters[label];
      cluster.places.push(place);
      cluster.events += events;
      cluster.more ||= Boolean(page.places.more && page.places.more[place]);
      cluster.rows.push(...page.rowsOf(place));
      for (const role of ["name", "host", "account"]) {
        const counts = cluster[role + "s"];
        for (const [value, number] of page.counts(place, role)) counts.set(value, (counts.get(value) || 0) + number);
      }
    });
    for (const cluster of this.clusters) {
      cluster.rows.sort((a, b) => page.order(a, b));
      cluster.row = cluster.rows[0];
      cluster.first = Math.min(...cluster.places.map((place) => page.places.first[place] ?? Infinity));
    }
    this.clusters.sort((a, b) => a.events - b.events || a.first - b.first || a.id - b.id);
    this.entries = this.ranked();
    if (page.histogram) this.count(() => true);
  }

  /* Odd events and small clusters, those to read first in front. */
  ranked() {
    const { page } = this;
    const small = this.clusters.filter((cluster) => cluster.events <= SMALL && cluster.row !== undefined).map((cluster) => {
      const best = cluster.rows.reduce((best, row) => ((page.score(row) ?? -Infinity) > (page.score(best) ?? -Infinity) ? row : best), cluster.row);
      return { row: best, place: null, cluster };
    });
    const far = (entry) => (entry.place === null ? 0 : page.joinsAt(entry.place) ?? Infinity);
    const entries = [...this.noise, ...small];
    const events = (entry) => (entry.cluster ? entry.cluster.events : page.rows.events[entry.row]);
    return entries.sort((a, b) => (page.score(b.row) ?? -Infinity) - (page.score(a.row) ?? -Infinity) || far(b) - far(a) || events(a) - events(b) || page.order(a.row, b.row));
  }

  /* Counts events over time. Where the rows don't tell each event, filters of rows leave the counts alone. */
  count(passes) {
    const { page } = this;
    const { start, width, spans } = page.histogram;
    const all = new Array(spans).fill(0), odd = new Array(spans).fill(0);
    this.labels.forEach((label, place) => {
      const add = (span, events) => {
        if (span < 0 || span >= spans) return;
        all[span] += events;
        if (label < 0) odd[span] += events;
      };
      if (page.activity) for (const [span, events] of page.cellsOf(place)) add(span, events);
      else for (const row of page.rowsOf(place)) if (page.rows.first[row] !== null && passes(row)) add(Math.floor((page.rows.first[row] - start) / width), page.rows.events[row]);
    });
    this.histogram = { all, odd };
    const busy = all.filter((count) => count > 0).sort((a, b) => a - b);
    const middle = busy[busy.length >> 1] || 0;
    // A burst would press all other bars to the ground.
    this.hasRoots = busy.length > 1 && busy[busy.length - 1] > 12 * middle;
    this.bursts = all.map((events, span) => ({ start: start + span * width, events, odd: odd[span] }))
      .filter((burst) => burst.events >= Math.max(10, 4 * middle)).sort((a, b) => b.odd - a.odd || b.events - a.events || a.start - b.start);
  }

  largestPlaces(most) {
    const all = Array.from(this.labels.keys()).filter((place) => this.page.places.features[place].length > 1);
    all.sort((a, b) => this.page.places.events[b] - this.page.places.events[a] || a - b);
    const odd = all.filter((place) => this.labels[place] < 0);
    return [...all.filter((place) => this.labels[place] >= 0).slice(0, most), ...odd.slice(0, most)];
  }

  /* The number of the first cluster of a partition. */
  firstOf(partition) {
    let first = Infinity;
    this.labels.forEach((label, place) => { if (label >= 0 && this.page.places.partition[place] === partition) first = Math.min(first, label); });
    return first;
  }

  /* The statement that gives the members of a cluster. */
  members(cluster) {
    const { page } = this;
    const query = page.query && page.clustering ? page.query.replace("{eps}", String(this.eps)) : null;
    if (!query || !query.includes("dbcluster(")) return null;
    // Clusters are numbered within their partition.
    const partition = page.places.partition ? page.places.partition[cluster.places[0]] : 0;
    const first = page.places.partition ? this.firstOf(partition) : 0;
    const condition = page.partitions[partition];
    return query.replace("dbcluster(", "dbcluster_members(") + `\nWHERE cluster_id = ${cluster.id - first}${condition ? `\n  AND ${condition}` : ""}${page.ordered()};`;
  }
}

class Reader {
  constructor(page) {
    this.page = page;
    this.shownOdd = this.shownPatterns = FIRST_SHOWN;
    this.state = { words: [], host: "", account: "", name: "", time: null, starred: false };
    this.view = new View(page, page.clustering ? page.clustering.eps : 0);
    this.texts = new Map();
    this.wire();
    this.fillFilters();
    this.made();
    this.drawings();
    this.render();
    this.check();
  }

  /* The page's own clustering must be that of the engine. */
  check() {
    const { expected } = this.page.clustering || {};
    if (!expected) return;
    const [clusters, noise] = expected;
    if (clusters !== this.view.clusters.length || noise !== this.view.oddEvents) {
      throw new Error(`this page finds ${this.view.clusters.length} clusters and ${this.view.oddEvents} odd events, and the engine found ${clusters} and ${noise}`);
    }
  }

  wire() {
    const { state } = this;
    const later = (change) => { change(); this.shownOdd = this.shownPatterns = FIRST_SHOWN; this.render(); };
    byId("search").addEventListener("input", (event) => later(() => { state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean); }));
    for (const role of ["host", "account", "name"]) byId(role).addEventListener("change", (event) => later(() => { state[role] = event.target.value; }));
    byId("starred").addEventListener("change", (event) => later(() => { state.starred = event.target.checked; }));
    byId("clear").addEventListener("click", () => later(() => this.clear()));
    byId("more-odd").addEventListener("click", () => { this.shownOdd += 200; this.render(); });
    byId("more-patterns").addEventListener("click", () => { this.shownPatterns += 200; this.render(); });
    byId("csv").addEventListener("click", () => this.exportCsv());
    byId("copy").addEventListener("click", () => this.saveCopy());
    byId("theme").addEventListener("click", () => {
      const root = document.documentElement;
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
    });
    byId("histogram").addEventListener("keydown", (event) => this.moveTime(event));
    addEventListener("resize", () => this.drawTimes());
    const folded = [];
    addEventListener("beforeprint", () => {
      // Paper has all reasons.
      this.page.chips = Infinity;
      this.render();
      for (const details of document.querySelectorAll("#made details:not([open])")) { details.open = true; folded.push(details); }
    });
    addEventListener("afterprint", () => {
      this.page.chips = CHIPS;
      this.render();
      while (folded.length) folded.pop().open = false;
    });
    if (this.page.clustering) this.slider();
  }

  clear() {
    Object.assign(this.state, { words: [], host: "", account: "", name: "", time: null, starred: false });
    for (const id of ["search", "host", "account", "name"]) byId(id).value = "";
    byId("starred").checked = false;
  }

  /* The slider goes over all eps at which anything changes, in logarithmic steps. The eps is a number that people can type. */
  slider() {
    const { places, clustering } = this.page;
    const all = [places.core, places.near, places.merged].flat().filter((eps) => eps !== null && eps > 0);
    if (!all.length) return;
    const low = Math.log(all.reduce((a, b) => Math.min(a, b), clustering.eps)) - 0.7, high = Math.log(all.reduce((a, b) => Math.max(a, b), clustering.eps)) + 0.1;
    this.range = [low, high];
    const input = byId("eps");
    byId("eps-field").hidden = false;
    const place = Math.round(((Math.log(clustering.eps) - low) / (high - low)) * 1000);
    input.value = place;
    input.addEventListener("input", () => {
      const eps = Number(input.value) === place ? clustering.eps : Number(Math.exp(low + (Number(input.value) / 1000) * (high - low)).toPrecision(3));
      this.shownOdd = this.shownPatterns = FIRST_SHOWN;
      this.view = new View(this.page, eps);
      this.render();
      this.redraw();
    });
  }

  fillFilters() {
    const { page } = this;
    for (const [role, all] of [["host", "All hosts"], ["account", "All accounts"], ["name", "All names"]]) {
      const select = byId(role);
      const values = [...page.values(role)].sort((a, b) => a[1] - b[1] || page.text(a[0]).localeCompare(page.text(b[0])));
      select.hidden = values.length < 2;
      select.replaceChildren(el("option", { value: "" }, all), ...values.slice(0, 2000).map(([value, events]) => el("option", { value }, `${said(page.text(value)).slice(0, 60)} (${thousands(events)})`)));
    }
  }

  /* All text of a row in small letters. */
  textOf(row) {
    if (!this.texts.has(row)) {
      const { rows } = this.page;
      const parts = ["name", "text", "parent", "account", "host", "path"].map((role) => (rows[role] ? rows[role][row] : null));
      const more = [...((rows.reasons && rows.reasons[row]) || []), ...((rows.values && rows.values[row]) || [])];
      this.texts.set(row, [...parts, ...more].map((index) => this.page.text(index)).filter((text) => text !== null)
        // Characters that are not seen are found by their codes, too.
        .flatMap((text) => (text.search(UNSEEN) < 0 ? [text] : [text, said(text)])).join("\n").toLowerCase());
    }
    return this.texts.get(row);
  }

  passes(row) {
    const { state, page } = this;
    const { rows } = page;
    for (const role of ["host", "account", "name"]) if (state[role] !== "" && (!rows[role] || String(rows[role][row]) !== state[role])) return false;
    if (state.time && (rows.first[row] === null || rows.first[row] >= state.time[1] || rows.last[row] < state.time[0])) return false;
    if (state.starred && !page.isStarred(page.key(row))) return false;
    return state.words.every((word) => this.textOf(row).includes(word));
  }

  /* A pattern whose rows don't tell all passes by its names, hosts and accounts, too. */
  patternPasses(cluster) {
    const { state } = this;
    if (cluster.rows.some((row) => this.passes(row))) return true;
    if (this.page.isComplete || state.time || state.starred || state.words.length) return false;
    return ["host", "account", "name"].every((role) => state[role] === "" || cluster[role + "s"].has(Number(state[role])));
  }

  get isFiltered() {
    const { state } = this;
    return state.words.length > 0 || state.host !== "" || state.account !== "" || state.name !== "" || state.time !== null || state.starred;
  }

  render() {
    const { page, view } = this;
    const isFiltered = this.isFiltered;
    const odd = isFiltered ? view.entries.filter((entry) => (entry.cluster ? entry.cluster.rows.some((row) => this.passes(row)) : this.passes(entry.row))) : view.entries;
    const patterns = isFiltered ? view.clusters.filter((cluster) => this.patternPasses(cluster)) : view.clusters;
    this.finding();
    byId("clear").hidden = !isFiltered;
    byId("eps-value").textContent = page.clustering ? (page.clustering.eps === view.eps ? String(Number(view.eps.toPrecision(6))) : String(view.eps)) : "";
    const rows = view.noise.length + view.clusters.length + page.leftOut;
    byId("status").textContent = isFiltered ? `${thousands(odd.length)} of ${thousands(view.entries.length)} to read first and ${thousands(patterns.length)} of ${counted(view.clusters.length, "pattern")} pass the filters.`
      : `${counted(rows, "row")} to read instead of ${counted(page.all, "event")}.`;
    this.elsewhere();
    byId("odd-note").textContent = (page.rows.score ? "the most unusual first, with reasons" : "the farthest from all others first") + `: odd events, and patterns of at most ${SMALL} events`;
    byId("patterns-note").textContent = "the rarest first; each is called by its rarest names";
    this.list("odd-list", "more-odd", odd, this.shownOdd, (entry, i) => oddEntry(page, view, entry, i + 1), "No odd event, and no small pattern.");
    this.list("pattern-list", "more-patterns", patterns, this.shownPatterns, (cluster) => patternEntry(page, view, cluster), "No pattern: no event is like another.");
    this.shown = { odd, patterns };
    this.hiddenPart();
    this.drawTimes();
    const made = leads(page, view);
    byId("next").hidden = !made.length;
    byId("leads").replaceChildren(...made);
    byId("skipped").hidden = !page.skipped.length;
    if (page.skipped.length && !byId("skipped-list").childElementCount) {
      byId("skipped-note").textContent = `(${thousands(page.skippedEvents)}): a feature is NULL, so they were not compared`;
      byId("skipped-list").append(eventList(page, page.skipped.slice(0, 200)));
    }
    const query = byId("query");
    if (query && page.clustering) query.textContent = page.query.replace("{eps}", String(view.eps)) + ";";
  }

  /* The page of many events does not have all of them: a search of text goes on in SQL. */
  elsewhere() {
    const { page, state } = this;
    const told = page.rows.events.reduce((sum, events) => sum + events, 0);
    const missing = page.all + page.skippedEvents - told;
    const varies = page.rows.varies ? page.rows.varies.filter(Boolean).length : 0;
    const isNeeded = state.words.length > 0 && page.table && (missing > 0 || varies > 0);
    byId("elsewhere").hidden = !isNeeded;
    if (!isNeeded) return;
    const columns = ["name", "text", "parent", "account", "host", "path"].map((role) => this.page.sql(role)).filter(Boolean);
    const words = state.words.map((word) => `concat_ws(' ', ${columns.join(", ")}) ILIKE ${quoted("%" + word.replace(/[\\%_]/g, "\\$&") + "%")}`);
    byId("elsewhere").replaceChildren(el("p", {}, `The search has looked at the ${counted(page.rows.count, "row")} of this page. This looks at all events:`), statement(`SELECT *\nFROM ${page.table}\nWHERE ${words.join("\n  AND ")}${page.ordered()};`));
  }

  list(id, more, entries, most, make, none) {
    const shown = entries.slice(0, most);
    byId(id).replaceChildren(...(shown.length ? shown.map(make) : [el("li", { class: "none" }, this.isFiltered ? "Nothing passes the filters." : none)]));
    byId(more).hidden = entries.length <= shown.length;
    byId(more).textContent = `Show more: ${thousands(entries.length - shown.length)} are not listed yet`;
  }

  /* The finding as a sentence. */
  finding() {
    const { page, view } = this;
    const [one, many] = page.event;
    const odd = view.oddEvents, all = page.all;
    const sentence = byId("finding");
    const heading = [];
    if (!all) heading.push(page.rows.count ? "All events were skipped." : "There are no events.");
    else if (!odd) heading.push(`No ${one} of ${thousands(all)} stands alone: they are ${counted(view.clusters.length, "pattern")}`);
    else {
      heading.push(el("b", {}, thousands(odd)), ` of ${counted(all, one, many)} ${odd === 1 ? "looks" : "look"} like nothing else`);
      const burst = page.histogram && page.histogram.width <= DAY && view.bursts.filter((burst) => burst.odd >= 3 && burst.odd >= odd / 4)[0];
      if (burst) heading.push(`; ${thousands(burst.odd)} of them fell into ${spanName(page.histogram.width)} (${spanStart(burst.start, page.histogram.width, page.severalDays)})`);
    }
    sentence.replaceChildren(...heading);
    const hosts = [...page.values("host").keys()].map((host) => said(page.text(host)));
    const parts = [];
    parts.push(said(page.title));
    if (hosts.length) parts.push(hosts.length === 1 ? "one host, " + hosts[0] : counted(hosts.length, "host"));
    if (page.span[0] !== null) parts.push(`${fullTime(page.span[0])} to ${page.severalDays ? fullTime(page.span[1]) : clockTime(page.span[1])} (${page.zone ? said(page.zone) : "time zone not recorded"})`);
    const rest = all - odd;
    const sizes = view.clusters.map((cluster) => cluster.events);
    const patterns = odd && rest ? ` The other ${counted(rest, "event")} ${rest === 1 ? "is" : "are"} ${counted(view.clusters.length, "pattern")} of ${thousands(Math.min(...sizes))} to ${thousands(Math.max(...sizes))}.` : "";
    const compared = page.features.length ? ` Compared: ${listed(page.features.map((feature) => said(feature.name)), 8)}.` : "";
    const skipped = page.skippedEvents ? ` Not among them: ${counted(page.skippedEvents, "event")} with a NULL in a feature.` : "";
    byId("context").textContent = parts.join("; ") + "." + patterns + compared + skipped;
  }

  hiddenPart() {
    const { page, view } = this;
    const { hidden, names, all } = hiddenNames(page, view);
    byId("hidden").hidden = !hidden.length;
    byId("hidden-note").textContent = `${thousands(names)} of ${counted(all, "name")} are in patterns that another name stands for; the rarest first`;
    const shown = hidden.slice(0, this.showsAllHidden ? hidden.length : 30);
    const chip = (each) => el("button", { type: "button", title: `in a pattern of ${counted(each.cluster.events, "event")}`, onclick: () => (each.family ? this.search(each.family.form.split("#").filter(Boolean)) : this.show(each.name)) },
      each.family ? `${said(each.family.form)}` : said(page.text(each.name)), el("span", { class: "size" }, each.family ? `${counted(each.count, "name")}, ${thousands(each.events)}` : thousands(each.events)));
    byId("hidden-names").replaceChildren(...shown.map((each) => el("li", {}, chip(each))),
      ...(hidden.length > shown.length ? [el("li", {}, el("button", { type: "button", onclick: () => { this.showsAllHidden = true; this.hiddenPart(); } }, `and ${thousands(hidden.length - shown.length)} more`))] : []));
  }

  search(words) {
    byId("search").value = words.join(" ");
    this.state.words = words.map((word) => word.toLowerCase());
    this.render();
    byId("columns").scrollIntoView({ block: "start" });
  }

  show(name) {
    this.state.name = String(name);
    byId("name").hidden = false;
    if (![...byId("name").options].some((option) => option.value === this.state.name)) byId("name").append(el("option", { value: name }, said(this.page.text(name))));
    byId("name").value = this.state.name;
    this.render();
    byId("columns").scrollIntoView({ block: "start" });
  }

  drawTimes() {
    const { page, view } = this;
    byId("when").hidden = !page.histogram;
    if (!page.histogram) return;
    view.count((row) => !this.isFiltered || this.passesButTime(row));
    const note = page.activity && this.isFiltered && !this.state.time ? "; all events, whatever the other filters" : "";
    byId("when-note").textContent = `events in each ${spanName(page.histogram.width).replace(/^one /, "")}, odd ones in orange${view.hasRoots ? " (heights are square roots)" : ""}; drag to select${note}`;
    byId("histogram").replaceChildren(when(page, view, this.state, (from, to) => this.selectTime(from, to)));
    const bursts = view.bursts.slice(0, 3);
    byId("bursts").replaceChildren(...bursts.flatMap((burst) => [el("button", { type: "button", onclick: () => this.selectTime(burst.start, burst.start + page.histogram.width) },
      `${spanStart(burst.start, page.histogram.width, page.severalDays)}: ${counted(burst.events, "event")}, ${thousands(burst.odd)} odd`), " "]));
  }

  passesButTime(row) {
    const { time } = this.state;
    this.state.time = null;
    const passes = this.passes(row);
    this.state.time = time;
    return passes;
  }

  selectTime(from, to) {
    const isSame = this.state.time && this.state.time[0] === from && this.state.time[1] === to;
    this.state.time = isSame ? null : [from, to];
    this.shownOdd = this.shownPatterns = FIRST_SHOWN;
    this.render();
  }

  moveTime(event) {
    const { page, state } = this;
    if (!page.histogram) return;
    const { start, width, spans } = page.histogram;
    const step = { ArrowLeft: -width, ArrowRight: width }[event.key];
    if (event.key === "Escape") state.time = null;
    else if (!step) return;
    else if (!state.time) state.time = [start, start + width];
    else if (event.shiftKey) state.time = [state.time[0], Math.max(state.time[0] + width, Math.min(start + spans * width, state.time[1] + step))];
    else {
      const from = Math.max(start, Math.min(start + (spans - 1) * width, state.time[0] + step));
      state.time = [from, from + (state.time[1] - state.time[0])];
    }
    event.preventDefault();
    this.render();
    byId("histogram").focus();
  }

  /* Figures are drawn when they are opened, and again when the eps changes. */
  drawings() {
    const { page } = this;
    const parts = [];
    const part = (title, draw) => {
      const inside = el("div", {});
      const details = el("details", {}, el("summary", {}, title), inside);
      const fill = () => { if (details.open) inside.replaceChildren(draw()); };
      details.addEventListener("toggle", fill);
      parts.push({ details, fill });
    };
    const several = page.places.features.length && page.places.features.every((vector) => vector.length > 1);
    if (several && page.features.length > 1) {
      part("Map of the places", () => {
        const box = el("input", { type: "checkbox" });
        const figure = el("div", {}, map(page, this.view, false));
        box.addEventListener("change", () => figure.replaceChildren(map(page, this.view, box.checked)));
        const places = page.places.events.length;
        return el("div", {}, el("p", { class: "soft" }, `${counted(places, "place")}: circles are patterns, by size, diamonds are odd. `, el("label", {}, box, " by rank, so that one far place does not press the others together")), figure);
      });
    }
    if (page.clustering && this.range) part("Every eps", () => curve(page, this.view, this.curvePoints()));
    const parents = parentRows(page);
    if (parents) part("Process tree of the odd events", () => processTree(page, this.view, parents));
    page.features.slice(0, 2).forEach((feature, k) => {
      if (page.places.features.every((vector) => vector.length > k) && page.rows.name) part(`Spread of ${said(feature.name)} within each name`, () => spreads(page, k));
    });
    this.parts = parts;
    byId("drawings").replaceChildren(...parts.map(({ details }) => details));
  }

  redraw() { for (const { fill } of this.parts) fill(); }

  curvePoints() {
    if (this.points) return this.points;
    const [low, high] = this.range;
    this.points = Array.from({ length: 49 }, (_, i) => {
      const eps = Math.exp(low + (i / 48) * (high - low));
      const { labels, clusters } = labelsAt(this.page.places, { ...this.page.clustering, minSamples: Math.min(2, this.page.clustering.minSamples) }, eps);
      let odd = 0;
      const joins = (place) => { const at = this.page.joinsAt(place); return at !== null && at <= eps; };
      labels.forEach((label, place) => { if (label < 0 && !joins(place)) odd += this.page.places.events[place]; });
      return { eps, clusters, odd };
    });
    return this.points;
  }

  made() {
    const { page } = this;
    const parts = [];
    if (page.query) {
      const query = statement(page.clustering ? page.query.replace("{eps}", String(page.clustering.eps)) + ";" : page.query);
      query.querySelector("pre").id = "query";
      parts.push(el("h3", {}, "The rows of this page in SQL"), query);
    }
    if (page.features.length) parts.push(el("h3", {}, "Compared"), el("ul", {}, page.features.map((feature) => el("li", {}, el("code", {}, said(feature.sql)), " as " + said(feature.name)))));
    if (page.files.length) parts.push(el("h3", {}, "Files"), el("ul", { class: "files" }, page.files.map((file) => el("li", {}, said(file)))));
    const told = page.rows.events.reduce((sum, events) => sum + events, 0);
    parts.push(el("p", {}, `${counted(page.rows.count, "row")} of this page ${page.rows.count === 1 ? "stands" : "stand"} for ${thousands(told)} of ${counted(page.all + page.skippedEvents, "event")}. Made by ${page.tool}.`));
    byId("made-of").replaceChildren(...parts);
  }

  /* The rows that pass the filters, one line for each row of the page. */
  exportCsv() {
    const { page, view } = this;
    const roles = ["name", "text", "parent", "account", "host", "path"].filter((role) => page.rows[role]);
    const head = ["kind", "pattern", "pattern_events", "events", "first_time", "last_time", ...roles.map((role) => page.label(role)), "score", "reasons", "starred", "note"];
    const lines = [head.map(csvValue).join(",")];
    const add = (row, kind, cluster) => {
      if (!this.passes(row)) return;
      const { rows } = page;
      const kept = page.kept(page.key(row));
      const time = (value) => (value === null ? null : fullTime(value));
      const cells = [kind, cluster ? cluster.id : null, cluster ? cluster.events : null, rows.events[row], time(rows.first[row]), time(rows.last[row]), ...roles.map((role) => page.text(rows[role][row])), page.score(row), page.reasons(row).join("; "), kept.star ? "yes" : null, kept.note || null];
      lines.push(cells.map(csvValue).join(","));
    };
    for (const entry of view.noise) add(entry.row, "odd", null);
    for (const cluster of view.clusters) for (const row of cluster.rows) add(row, "pattern", cluster);
    for (const row of page.skipped) add(row, "skipped", null);
    download(this.fileName("csv"), "text/csv", lines.join("\r\n") + "\r\n");
  }

  saveCopy() {
    const notes = JSON.stringify(this.page.notes).replace(/</g, "\\u003c");
    download(this.fileName("html"), "text/html", original.replace(/(id="kept">)[^<]*</, (_, start) => start + notes + "<"));
  }

  fileName(ending) {
    const name = this.page.title.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._]+/, "").slice(0, 80) || "report";
    return `${name}.${ending}`;
  }
}

dataOfPage().then((data) => {
  window.reader = new Reader(new Page(data));
}).catch((error) => {
  byId("finding").textContent = "This page could not be shown: " + error.message;
  throw error;
}).finally(() => { document.documentElement.dataset.drawn = "true"; });
