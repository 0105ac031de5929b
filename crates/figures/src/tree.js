// The tree of processes: find, only marked ones, fold, and keys as in any tree.
"use strict";
// Folded lines are hidden, but the browser's own search finds them, and unfolds those above.
const hideFolded = (line, isHidden) => {
  line.hidden = isHidden ? "until-found" : false;
  if (isHidden) line.setAttribute("aria-hidden", "true");
  else line.removeAttribute("aria-hidden");
};
const addTree = (part, toggle) => {
  const tree = part.written.querySelector(".tree");
  if (!tree) return;
  const lines = [...tree.querySelectorAll("li[data-level]")];
  const levels = lines.map((line) => Number(line.dataset.level));
  const parents = [];
  const open = [];
  for (let at = 0; at < lines.length; at += 1) {
    while (open.length && levels[open.at(-1)] >= levels[at]) open.pop();
    parents.push(open.at(-1));
    open.push(at);
  }
  const [input, only, found, next, fold] = ["[data-find]", "[data-only]", ".found", "[data-next]", "[data-fold]"].map((one) => part.written.querySelector(one));
  let texts;
  const unfold = (line) => {
    line.classList.remove("folded");
    if (line.hasAttribute("aria-expanded")) line.setAttribute("aria-expanded", "true");
  };
  // Lines that are found are shown with those above them.
  const filter = () => {
    texts ??= lines.map((line) => line.textContent.toLowerCase());
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isAll = !words.length && !only?.checked;
    const hits = lines.map((line, at) => (!only?.checked || line.classList.contains("marked")) && words.every((word) => texts[at].includes(word)));
    const isShown = hits.slice();
    for (let at = 0; at < lines.length; at += 1) {
      if (!hits[at]) continue;
      for (let above = parents[at]; above !== undefined && !isShown[above]; above = parents[above]) isShown[above] = true;
    }
    for (let at = 0; at < lines.length; at += 1) {
      hideFolded(lines[at], false);
      lines[at].hidden = !isShown[at];
      lines[at].classList.toggle("above", !isAll && !hits[at]);
      unfold(lines[at]);
    }
    for (const host of tree.querySelectorAll(".host")) host.hidden = !isAll;
    const rows = [...lines.keys()].filter((at) => lines[at].dataset.row !== undefined);
    found.textContent = isAll ? "" : `${thousands(rows.filter((at) => hits[at]).length)} of ${thousands(rows.length)}`;
  };
  input.addEventListener("input", filter);
  only?.addEventListener("change", filter);
  fold.addEventListener("click", () => {
    const isOpen = fold.getAttribute("aria-pressed") !== "true";
    fold.setAttribute("aria-pressed", String(isOpen));
    for (let at = 0; at < lines.length; at += 1) {
      hideFolded(lines[at], isOpen && levels[at] > 1);
      if (!lines[at].hasAttribute("aria-expanded")) continue;
      lines[at].classList.toggle("folded", isOpen);
      lines[at].setAttribute("aria-expanded", String(!isOpen));
    }
  });
  // One line can be reached by the tab key; the arrows lead from there.
  let now = 0;
  if (lines.length) lines[0].tabIndex = 0;
  const reveal = (at) => {
    const above = [];
    for (let one = parents[at]; one !== undefined; one = parents[one]) above.unshift(one);
    // From the top, so that each unfolds what is shown.
    for (const one of above) if (lines[one].classList.contains("folded")) toggle(lines[one]);
    hideFolded(lines[at], false);
  };
  tree.addEventListener("beforematch", (event) => {
    const at = lines.indexOf(event.target);
    if (at >= 0) reveal(at);
  });
  const go = (at) => {
    if (at === undefined || !lines[at]) return;
    lines[now].tabIndex = -1;
    now = at;
    reveal(at);
    lines[at].tabIndex = 0;
    lines[at].focus();
    lines[at].scrollIntoView({ block: "nearest" });
  };
  const beside = (at, step) => {
    let other = at + step;
    while (lines[other]?.hidden) other += step;
    return lines[other] ? other : undefined;
  };
  next?.addEventListener("click", () => {
    const isNext = (at) => lines[at].classList.contains("marked") && !lines[at].hidden;
    const order = [...lines.keys()].map((at) => (now + 1 + at) % lines.length);
    const at = order.find(isNext) ?? order.find((one) => lines[one].classList.contains("marked"));
    go(at);
    if (at !== undefined) lines[at].scrollIntoView({ block: "center" });
  });
  tree.addEventListener("focusin", (event) => {
    const at = lines.indexOf(event.target);
    if (at >= 0) now = at;
  });
  tree.addEventListener("keydown", (event) => {
    const line = lines[now];
    const isFolded = line.classList.contains("folded");
    const hasMore = line.hasAttribute("aria-expanded");
    if (event.key === "ArrowDown") go(beside(now, 1));
    else if (event.key === "ArrowUp") go(beside(now, -1));
    else if (event.key === "ArrowRight") {
      if (hasMore && isFolded) toggle(line);
      else if (hasMore) go(beside(now, 1));
    } else if (event.key === "ArrowLeft") {
      if (hasMore && !isFolded) toggle(line);
      else go(parents[now]);
    } else if (event.key === "Home") go(lines[0].hidden ? beside(0, 1) : 0);
    else if (event.key === "End") go(lines.at(-1).hidden ? beside(lines.length - 1, -1) : lines.length - 1);
    else return;
    event.preventDefault();
  });
};
