"use strict";
const STATES = { starting: ["◌", "starting", ""], idle: ["○", "idle", ""], identifying: ["◉", "reading", "go"], deciding: ["◈", "deciding", "go"], held: ["❚❚", "held", "hold"], referred: ["▲", "referred", "bad"], raising: ["↑", "raising", "ok"], passing: ["➜", "passing", "ok"], clearing: ["◇", "clearing", "ok"], lowering: ["↓", "lowering", "ok"], faulted: ["✖", "fault", "bad"], local: ["⚿", "local", "hold"], closed: ["⊘", "closed", "hold"] };
const SLOTS = { tractor_plate: "tractor", trailer_plate: "trailer", itu: "unit", vehicle_tag: "tag", container_tag: "unit tag", adr: "ADR", seal: "seal", gate_pass: "pass" };
const h = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text != null) e.textContent = text; return e; };
const Lanes = {
  cards: new Map(), only: null, view: new Map(),
  build(site) {
    const box = document.getElementById("cards"), nodes = document.getElementById("nodes"); box.textContent = nodes.textContent = "";
    const pick = (id, label) => { const b = h("button", "", label); b.setAttribute("aria-pressed", this.only === id); b.onclick = () => { this.only = id; for (const x of nodes.children) x.setAttribute("aria-pressed", x === b); this.filter(); }; nodes.append(b); };
    pick(null, "all");
    for (const n of site.nodes) {
      pick(n.id, n.id); const head = h("div", "node-h"); head.dataset.node = n.id; head.append(h("b", "", n.id), n.name); box.append(head);
      for (const l of site.lanes.filter(l => l.node === n.id)) box.append(this.card(l));
    }
  },
  filter() { for (const e of document.querySelectorAll("#cards>[data-node]")) e.hidden = this.only != null && e.dataset.node !== this.only; },
  card(lane) {
    const c = h("article", "card"); c.dataset.node = lane.node; const head = h("header"), state = h("span", "state");
    head.append(h("h3", "", lane.id), h("span", "dir", lane.direction === "in" ? "↗ in" : "↙ out"), state);
    const shot = h("div", "shot dimmed"), img = h("img"), boxes = el("svg", { viewBox: "0 0 1280 720", "aria-hidden": "true" }), tabs = h("div", "tabs");
    img.alt = `Camera of ${lane.id}`; img.onerror = () => img.classList.add("gone"); img.onload = () => img.classList.remove("gone"); img.width = 1280; img.height = 720; shot.append(img, boxes, tabs); shot.onclick = e => { if (e.target.tagName !== "BUTTON") this.zoom(lane.id); };
    const row = h("div", "row"), arm = el("svg", { class: "arm", viewBox: "0 0 92 46", role: "img" });
    const beam = el("g", { class: "beam" }); beam.append(el("rect", { x: 12, y: 31, width: 76, height: 6, rx: 2, fill: "#e9e9e4" }), ...[0, 1, 2, 3].map(i => el("rect", { x: 20 + i * 18, y: 31, width: 9, height: 6, fill: "#d22f27" })));
    const lamp = el("circle", { class: "lamp", cx: 14, cy: 12, r: 5 }); arm.append(el("rect", { class: "pole", x: 9, y: 8, width: 10, height: 36, rx: 3 }), lamp, beam);
    const led = h("div", "led"); led.setAttribute("aria-label", "Driver's sign"); row.append(arm, led);
    const chips = h("div", "chips"), say = h("div", "say"), fault = h("div", "fault"); c.append(head, shot, row, chips, say, fault);
    this.cards.set(lane.id, { c, state, shot, img, boxes, tabs, arm, beam, lamp, led, chips, say, fault, lane, at: 0 }); return c;
  },
  world(lanes) {
    for (const id in lanes) {
      const k = this.cards.get(id), w = lanes[id]; if (!k) continue;
      k.beam.style.transform = `rotate(${-w.arm * 78}deg)`; k.lamp.setAttribute("class", "lamp" + (w.green ? " g" : ""));
      k.arm.setAttribute("aria-label", w.arm >= 1 ? "arm up" : w.arm <= 0 ? "arm down" : "arm moves");
      const text = w.sign.join("\n"); if (k.led.textContent !== text) k.led.textContent = text; k.queue = w.queue;
    }
  },
  show(views) { for (const v of views) { const k = this.cards.get(v.lane); if (k) this.update(k, v); } },
  update(k, v) {
    k.v = v; const [icon, word, cls] = STATES[v.state] || ["?", v.state, ""]; k.state.className = "state " + cls; k.state.textContent = `${icon} ${word}` + (k.queue ? ` +${k.queue}` : "");
    if (!this.view.has(v.lane)) this.view.set(v.lane, 0);
    if (k.tabs.children.length !== v.cameras.length) {
      k.tabs.textContent = ""; v.cameras.forEach((cam, i) => { const b = h("button", "", cam.split(".").pop()); b.onclick = () => { this.view.set(v.lane, i); k.pinned = true; this.update(k, k.v); }; k.tabs.append(b); });
    }
    if (!k.pinned && v.pass) { const best = v.cameras.findIndex(c => (v.reads[c] || []).some(r => r.kind === "container")); this.view.set(v.lane, best >= 0 && Math.floor(Date.now() / 2500) % 2 ? best : 0); }
    const at = this.view.get(v.lane), cam = v.cameras[at]; [...k.tabs.children].forEach((b, i) => b.setAttribute("aria-pressed", i === at));
    const busy = v.pass != null; k.shot.classList.toggle("dimmed", !busy);
    if (cam && (busy || k.cam !== cam || Date.now() - k.at > 15000) && Date.now() - k.at > 900 && onScreen(k.c)) { k.at = Date.now(); k.cam = cam; k.img.src = `frames/${cam}?${k.at}`; }
    this.boxes(k.boxes, busy ? v.reads[cam] || [] : []); this.chips(k.chips, v); this.say(k.say, v);
    k.fault.textContent = v.faults.map(f => `✖ ${f.device}: ${f.text}`).join(" · "); if (k.zoomed) k.zoomed();
  },
  boxes(svg, reads) {
    svg.textContent = "";
    for (const r of reads) { const b = r.box; svg.append(el("rect", { x: b.x, y: b.y, width: b.w, height: b.h, rx: 6, class: r.confidence < .8 ? "weak" : "" }), el("text", { x: Math.max(8, b.x), y: b.y > 52 ? b.y - 14 : b.y + b.h + 40 }, `${r.text} ${Math.round(r.confidence * 100)}%`)); }
  },
  chips(box, v) {
    box.textContent = "";
    for (const s of v.identity.slots) {
      const best = s.candidates[0]; if (!best) continue; const c = h("span", "chip" + (s.conflict ? " conflict" : "")), p = h("span", "p"), i = h("i"); i.style.width = Math.round(best.probability * 100) + "%"; p.append(i);
      c.append(h("small", "", SLOTS[s.slot] || s.slot), h("b", "", s.slot.endsWith("tag") ? "…" + best.value.slice(-6) : best.value), p); c.title = `${best.value} · ${Math.round(best.probability * 100)} % · ${best.support.join(", ")}`; box.append(c);
    }
    const kg = v.identity.weight ? v.identity.weight.vehicle_gross_kg : v.pass ? v.weight_kg : null;
    if (kg != null) { const c = h("span", "chip"); c.append(h("small", "", "weight"), h("b", "", `${(kg / 1000).toFixed(2)} t`)); box.append(c); }
  },
  say(box, v) {
    box.textContent = ""; const m = v.mission, d = v.verdict;
    if (m) { const c = h("div"), sw = h("i", "sw"); sw.style.background = procColour(m.process); c.append(sw, h("b", "", `${m.mission} `), `${m.process} · customs ${m.status}`); box.append(c); }
    if (d) { const t = d.instruction || {}; box.append(h("span", "v " + d.verdict, d.verdict === "admit" ? `✔ admitted${t.next_node ? " → node " + t.next_node : ""}` : d.verdict === "hold" ? "❚❚ held" : "▲ referred to an operator")); if (d.reasons) { const ul = h("ul"); d.reasons.forEach(r => ul.append(h("li", "", r.text))); box.append(ul); } }
    else if (v.pass) box.append(h("span", "", "reading…"));
  },
  zoom(id) {
    const k = this.cards.get(id), box = document.getElementById("zoomed"), d = document.getElementById("zoom"); box.textContent = "";
    const shot = h("div", "shot"), img = h("img"), svg = el("svg", { viewBox: "0 0 1280 720" }); shot.append(img, svg); box.append(h("h2", "", id), shot);
    const show = () => { if (!k.cam) return; img.src = k.img.src; this.boxes(svg, k.v?.pass ? k.v.reads[k.cam] || [] : []); }; k.zoomed = show; show(); d.onclose = () => { k.zoomed = null; }; d.showModal();
  }
};
const onScreen = e => { const r = e.getBoundingClientRect(); return r.bottom > -200 && r.top < innerHeight + 200; };
