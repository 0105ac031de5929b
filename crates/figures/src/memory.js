// The memory of a page, which survives a reload: its theme, and its kept rows by their numbers. It stays in the browser. A page is known by
// its title and its rows, so that another one at the same place begins anew.
"use strict";
const memory = (title, rows) => {
  let [high, low] = [0x811c9dc5, 0x9747b28c];
  const text = JSON.stringify(rows);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ (low >>> 15) ^ code, 0x5bd1e995);
  }
  const name = `dbcluster figure ${title} ${[high, low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("")}`;
  return {
    // The stored text; the caller checks it, since anything may stand there.
    read: () => {
      try {
        return JSON.parse(localStorage.getItem(name)) ?? {};
      } catch {
        return {};
      }
    },
    write: (state) => {
      try {
        localStorage.setItem(name, JSON.stringify(state));
      } catch { /* A browser that keeps nothing still shows the page. */ }
    },
  };
};
