"use strict";
// Follows a run that goes on: says how far it is, takes over what is newer, and becomes the report.
(() => {
  const source = new EventSource("events");
  const line = document.createElement("p"), state = document.createElement("b"), far = document.createElement("span");
  line.className = "live";
  state.setAttribute("role", "status");
  line.append(state, far);
  document.body.prepend(line);

  function tell(how, numbers = "") {
    if (state.textContent !== how) state.textContent = how;
    far.textContent = numbers;
  }

  // The old tree becomes the new one and keeps what did not change: what is open, focused, drawn.
  function become(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    if (!fresh.hasAttribute("data-tone")) old.removeAttribute("data-tone");
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    if (old.matches(".plot")) return;
    const before = [...old.childNodes], after = [...fresh.childNodes];
    before.slice(after.length).forEach((node) => node.remove());
    after.forEach((node, i) => (i < before.length ? become(before[i], node) : old.append(node)));
  }

  async function renew() {
    const answer = await fetch("newer");
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const name of ["header", "main"]) become(document.querySelector(name), fresh.querySelector(name));
    document.title = document.querySelector("h1").textContent;
    report.take(JSON.parse(fresh.getElementById("data").textContent));
  }

  source.addEventListener("now", ({ data }) => tell(...JSON.parse(data)));
  source.addEventListener("newer", () => renew().catch(() => {}));
  source.addEventListener("end", () => {
    source.close();
    location.reload();
  });
  source.addEventListener("error", () => tell("no answer from loadgate: this is how far it was seen"));
})();
