// The page's own script: it lists, searches, filters and pages the images. It loads nothing, and whatever comes from the
// journal becomes text, never markup.
"use strict";
(() => {
  const STATES = ["pending", "sending", "done", "failed", "failed, known", "done, with a warning"];
  // What is known is failed too, and what has a warning is done.
  const WIDER = { 4: 3, 5: 2 };
  const [ID, STATE, ALT, SOURCE, LINE, CAUSE, DETAIL, STATUS, FURTHER, FIELDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const at = (id) => document.getElementById(id);
  const grouped = (number) => number.toLocaleString("en-US");

  const sources = JSON.parse(at("sources").textContent);
  const items = [];
  for (const block of document.querySelectorAll("script.items")) {
    for (const item of JSON.parse(block.textContent)) items.push(item);
    block.remove();
  }
  const states = new Map();
  const causes = new Map();
  const count = (map, key) => map.set(key, (map.get(key) || 0) + 1);
  for (const item of items) {
    count(states, item[STATE]);
    if (item[STATE] in WIDER) count(states, WIDER[item[STATE]]);
    if (item[CAUSE]) count(causes, item[CAUSE]);
  }

  const form = at("filter");
  const controls = { text: at("text"), state: at("state"), cause: at("cause"), size: at("size") };
  const option = (value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  };
  for (const [code, word] of STATES.entries()) {
    if (states.has(code)) controls.state.append(option(String(code), `${word} (${grouped(states.get(code))})`));
  }
  for (const [cause, number] of [...causes].sort((one, other) => other[1] - one[1])) {
    controls.cause.append(option(cause, `${cause} (${grouped(number)})`));
  }

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const own = (text) => element("bdi", { dir: "auto" }, text);

  // The same form as the first page has, which is in the file for browsers without scripts.
  const row = (item) => {
    const alt = element("td", { role: "cell", "data-label": "Alt text" });
    alt.append(item[ALT] ? element("bdi", { dir: "auto", class: "alt" }, item[ALT]) : element("span", { class: "empty" }, "No alt text is wanted"));
    if (item[FIELDS]) {
      const pairs = item[FIELDS].map(([field, value]) => element("div", {}, element("dt", {}, field), element("dd", {}, own(value))));
      alt.append(element("dl", { class: "more" }, ...pairs));
    }
    const word = STATES[item[STATE]];
    const state = element("td", { role: "cell", "data-label": "State" }, element("span", { class: `state ${word.split(",")[0]}` }, word));
    if (item[CAUSE]) {
      const status = item[STATUS] ? `, HTTP ${item[STATUS]}` : "";
      state.append(element("span", { class: "why" }, own(item[CAUSE]), status));
    }
    if (item[DETAIL]) state.append(element("span", { class: "why note" }, own(item[DETAIL])));
    if (item[FURTHER]) state.append(element("span", { class: "why note" }, `${item[FURTHER] + 1} attempts`));
    const from = element("td", { role: "cell", "data-label": "From" }, own(sources[item[SOURCE]] || ""), `, line ${item[LINE]}`);
    return element("tr", { role: "row" }, element("th", { role: "rowheader", scope: "row", class: "id" }, item[ID]), alt, state, from);
  };

  // What is searched of an item is made once, when it is first looked at.
  const folded = (text) => text.normalize("NFC").toLowerCase();
  const haystacks = new Array(items.length);
  const haystack = (index) => {
    if (haystacks[index] === undefined) {
      const item = items[index];
      const fields = item[FIELDS] ? item[FIELDS].flat() : [];
      haystacks[index] = folded([item[ID], item[ALT], item[CAUSE], item[DETAIL], sources[item[SOURCE]], ...fields].join("\n"));
    }
    return haystacks[index];
  };

  let matching = items.map((_, index) => index);
  let page = 0;
  const size = () => Number(controls.size.value);
  const pages = () => Math.max(1, Math.ceil(matching.length / size()));
  const isFiltered = () => controls.text.value.trim() !== "" || controls.state.value !== "" || controls.cause.value !== "";

  const show = () => {
    page = Math.min(Math.max(page, 0), pages() - 1);
    const begin = page * size();
    const shown = matching.slice(begin, begin + size());
    at("rows").replaceChildren(...shown.map((index) => row(items[index])));
    const what = isFiltered() ? `that ${matching.length === 1 ? "matches" : "match"}, of ${grouped(items.length)}` : "in all";
    const images = matching.length === 1 ? "1 image" : `${grouped(matching.length)} images`;
    const which = matching.length > shown.length ? `. Shown are ${grouped(begin + 1)} to ${grouped(begin + shown.length)}` : "";
    at("count").textContent = matching.length === 0 && isFiltered() ? `No image matches, of ${grouped(items.length)}.` : `${images} ${what}${which}.`;
    at("items").hidden = matching.length === 0;
    at("pages").hidden = pages() === 1;
    at("page").value = String(page + 1);
    at("of").textContent = `of ${grouped(pages())}`;
    // Not `disabled`, which would take the focus away from who pages by keyboard.
    for (const id of ["first", "previous"]) at(id).setAttribute("aria-disabled", String(page === 0));
    for (const id of ["next", "last"]) at(id).setAttribute("aria-disabled", String(page === pages() - 1));
  };

  const filter = () => {
    const words = folded(controls.text.value).split(/\s+/).filter(Boolean);
    const state = controls.state.value === "" ? null : Number(controls.state.value);
    const cause = controls.cause.value;
    matching = [];
    for (const [index, item] of items.entries()) {
      if (state !== null && item[STATE] !== state && WIDER[item[STATE]] !== state) continue;
      if (cause && item[CAUSE] !== cause) continue;
      if (words.length && !words.every((word) => haystack(index).includes(word))) continue;
      matching.push(index);
    }
    page = 0;
    show();
  };

  let waiting;
  controls.text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 150);
  });
  for (const control of [controls.state, controls.cause, controls.size]) control.addEventListener("change", filter);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    filter();
  });
  form.addEventListener("reset", () => setTimeout(filter));

  const turn = (to) => {
    if (to < 0 || to >= pages() || to === page) return;
    page = to;
    show();
  };
  at("first").addEventListener("click", () => turn(0));
  at("previous").addEventListener("click", () => turn(page - 1));
  at("next").addEventListener("click", () => turn(page + 1));
  at("last").addEventListener("click", () => turn(pages() - 1));
  at("page").addEventListener("change", () => {
    const wanted = Number.parseInt(at("page").value.replace(/[^0-9]/g, ""), 10);
    if (Number.isFinite(wanted)) page = wanted - 1;
    show();
  });

  // From a cause in the table of failures to its images.
  for (const button of document.querySelectorAll("button[data-cause]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      form.reset();
      controls.cause.value = button.dataset.cause;
      setTimeout(() => {
        filter();
        at("images").focus();
      });
    });
  }

  form.hidden = false;
  show();
})();
