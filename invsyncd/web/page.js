// Fetches this page again every few seconds and replaces the parts that have changed. If the daemon
// does not answer, the page says so: old numbers must not look like new ones.
(() => {
  "use strict";
  const EVERY_MS = 5000, PATIENCE_MS = 8000, TYPING_MS = 150;
  const fresh = document.getElementById("fresh");
  let busy = false, last = new Date();
  const at = () => last.toISOString().slice(11, 19);
  const opened = (part) => [...part.querySelectorAll("details[open]")].map((one) => one.id);
  const stops = (part) => [...part.querySelectorAll("a, summary, [tabindex]")];

  const replace = (old, now) => {
    if (old.isEqualNode(now)) return;
    const marked = document.getSelection();
    if (marked && !marked.isCollapsed && marked.containsNode(old, true)) return; // somebody is copying it
    for (const id of opened(old)) now.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    if (old.isEqualNode(now)) return;
    const focus = stops(old).indexOf(document.activeElement);
    old.className = now.className;
    old.replaceChildren(...now.childNodes);
    if (focus >= 0) stops(old)[focus]?.focus({ preventScroll: true });
  };

  const update = (page) => {
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = page.getElementById(old.id);
      if (now) replace(old, now);
    }
    document.title = page.title;
    const mark = page.getElementById("mark");
    if (mark) document.getElementById("mark").href = mark.href;
  };

  const refresh = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
      const answer = await fetch(location.href, options);
      const kind = answer.headers.get("Content-Type") ?? "";
      if (!kind.startsWith("text/html")) throw new Error(String(answer.status));
      update(new DOMParser().parseFromString(await answer.text(), "text/html"));
      last = new Date();
      document.documentElement.classList.remove("stale");
      fresh.textContent = `Renewed at ${at()}.`;
    } catch {
      document.documentElement.classList.add("stale");
      fresh.textContent = `No answer from the daemon since ${at()}: these numbers are old.`;
    } finally {
      busy = false;
    }
  };

  const suggestions = document.getElementById("skus"), known = new Map();
  const suggest = async (text) => {
    if (!known.has(text)) {
      const answer = await fetch(`/api/skus?${new URLSearchParams({ search: text })}`);
      if (!answer.ok) return;
      known.set(text, (await answer.json()).skus);
    }
    suggestions.replaceChildren(...known.get(text).map((sku) => new Option("", sku)));
  };
  let typing = 0;
  document.addEventListener("input", ({ target }) => {
    if (target.getAttribute("list") !== suggestions.id) return;
    clearTimeout(typing);
    const text = target.value.trim();
    typing = setTimeout(() => text && suggest(text).catch(() => {}), TYPING_MS);
  });

  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
})();
