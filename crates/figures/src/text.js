// Text as a page shows it, and the makers of elements. Whatever an event says goes through textContent, so it stays text.
"use strict";
// Characters that are not seen, or that turn the writing around, are codes such as ⟨U+202E⟩: the same ones as in text.rs.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;
const visible = (text) => String(text).replace(UNSEEN, (one) => `⟨U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const shown = (value) => (value === null || value === undefined ? "(NULL)" : visible(value));
const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);
// Text that was made for the drawing script, which reads entities.
const plain = (text) => String(text ?? "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const thousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const counted = (number, one, many = one + "s") => `${thousands(number)} ${number === 1 ? one : many}`;
