// Keys, the card of one sentence, and where to look after labelling. No request, no storage.
(() => {
  "use strict";
  let card = null;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // The sentences that the chosen filter asks for, in reading order.
  const asked = (text) => {
    const chosen = text.closest(".rh").querySelector('input[name="rh-show"]:checked');
    const key = chosen ? chosen.value : "all";
    return Array.from(text.querySelectorAll(key === "all" ? ".rh-s" : `.rh-s.is-${key}`));
  };

  // One sentence at a time is a tab stop: the arrows lead from it to the others.
  const makeStop = (text, sentence) => {
    for (const old of text.querySelectorAll('.rh-s[tabindex="0"]')) old.tabIndex = -1;
    if (sentence) sentence.tabIndex = 0;
  };

  const row = (entry, probability, labelled) => {
    const line = element("div", "rh-card-row");
    line.append(element("span", "", `${entry.mark} · ${entry.name}`));
    line.append(element("b", "", `${(probability * 100).toFixed(1)}% ${labelled ? "yes" : "no"}`));
    const bar = element("div", "rh-card-bar");
    const fill = element("span", `rh-c-${entry.key}`);
    const from = element("em");
    fill.style.width = `${probability * 100}%`;
    from.style.left = `${entry.from * 100}%`;
    bar.append(fill, from);
    line.append(bar);
    return line;
  };

  const fillCard = (sentence) => {
    const text = sentence.closest(".rh-text");
    const book = JSON.parse(text.dataset.book);
    const probabilities = sentence.dataset.p.split(" ").map(Number);
    const head = `Sentence ${sentence.dataset.n}${sentence.dataset.who ? ` · ${sentence.dataset.who}` : ""}`;
    const rows = book.map((entry, i) => row(entry, probabilities[i], sentence.classList.contains(`is-${entry.key}`)));
    const review = sentence.classList.contains("is-review") ? "Needs review: too close to a threshold. " : "";
    card.replaceChildren(element("div", "rh-card-head", head), ...rows,
      element("div", "rh-card-foot", `${review}The upright mark is where yes begins.`));
  };

  const placeCard = (sentence) => {
    const rects = sentence.getClientRects();
    const first = rects[0];
    const last = rects[rects.length - 1];
    if (!first) return;
    const below = last.bottom + 8 + card.offsetHeight <= window.innerHeight;
    const left = Math.min((below ? last : first).left, window.innerWidth - card.offsetWidth - 8);
    card.style.left = `${Math.max(8, left)}px`;
    card.style.top = `${below ? last.bottom + 8 : Math.max(8, first.top - card.offsetHeight - 8)}px`;
  };

  const open = (sentence) => {
    if (!card) {
      card = element("div", "rh-card");
      card.id = "rh-card";
      card.setAttribute("role", "status");
      document.body.append(card);
    }
    fillCard(sentence);
    card.hidden = false;
    placeCard(sentence);
  };

  const close = () => { if (card) card.hidden = true; };
  const sentenceOf = (event) => event.target instanceof Element ? event.target.closest(".rh-s") : null;

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const sentence = sentenceOf(event) || sentenceOf({ target: document.activeElement });
    if (sentence) open(sentence); else close();
  });
  document.addEventListener("focusin", (event) => {
    const sentence = sentenceOf(event);
    if (!sentence) return close();
    makeStop(sentence.closest(".rh-text"), sentence);
    open(sentence);
  });
  document.addEventListener("focusout", close);
  document.addEventListener("scroll", () => {
    const sentence = sentenceOf({ target: document.activeElement });
    if (sentence && card && !card.hidden) placeCard(sentence); else close();
  }, { passive: true, capture: true });

  document.addEventListener("change", (event) => {
    if (event.target.name !== "rh-show") return;
    const text = event.target.closest(".rh").querySelector(".rh-text");
    makeStop(text, asked(text)[0]);
  });

  const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  const step = (event, sentence) => {
    const text = sentence.closest(".rh-text");
    const list = asked(text);
    let at = list.indexOf(sentence);
    if (at < 0) at = list.findIndex((s) => Number(s.dataset.n) > Number(sentence.dataset.n)) - (STEPS[event.key] > 0 ? 1 : 0);
    const next = list[Math.max(0, Math.min(list.length - 1, at + STEPS[event.key]))];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const button = document.querySelector("#rh-label");
      if (button && !button.disabled) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.key === "Escape") return close();
    const sentence = sentenceOf(event);
    if (sentence && event.key in STEPS && !event.ctrlKey && !event.altKey && !event.metaKey) step(event, sentence);
  });

  // A point of a trend shows the sentences behind it.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest(".rh-drawing a") : null;
    if (!link) return;
    event.preventDefault();
    const name = (link.getAttribute("xlink:href") || link.getAttribute("href")).slice(1);
    for (const part of link.closest(".rh").querySelectorAll(".rh-behind > section")) part.hidden = part.id !== name;
    const shown = document.getElementById(name);
    if (shown) { shown.focus({ preventScroll: true }); shown.scrollIntoView({ block: "nearest" }); }
  });

  // After labelling: put the focus on the result, and scroll to it where it is out of sight.
  window.rhetoricShow = () => {
    const title = document.querySelector("#rh-title, #rh-result .rh-message");
    if (!title) return;
    const { top } = title.getBoundingClientRect();
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
    if (top < 0 || top > window.innerHeight * 0.6) title.scrollIntoView({ block: "start" });
  };
})();
