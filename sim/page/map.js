"use strict";
const NS = "http://www.w3.org/2000/svg";
const el = (name, attrs = {}, text) => { const e = document.createElementNS(NS, name); for (const k in attrs) e.setAttribute(k, attrs[k]); if (text != null) e.textContent = text; return e; };
const procColour = p => `var(--${p}, var(--go))`;
const PortMap = {
  svg: null, trucks: new Map(), followed: null, paths: null,
  draw(site) {
    this.site = site; const s = this.svg = document.getElementById("map"); s.textContent = "";
    const xs = site.nodes.map(n => n.map.x), ys = site.nodes.map(n => n.map.y);
    const x0 = Math.min(...xs) - 150, y0 = Math.min(...ys) - 110, w = Math.max(...xs) - x0 + 130, h = Math.max(...ys) - y0 + 130;
    s.setAttribute("viewBox", `${x0} ${y0} ${w} ${h}`);
    const defs = el("defs"); const pat = el("pattern", { id: "waves", width: 44, height: 22, patternUnits: "userSpaceOnUse" });
    pat.append(el("path", { d: "M0 11q11-9 22 0t22 0", fill: "none", stroke: "var(--sea2)", "stroke-width": 2.5 })); defs.append(pat); s.append(defs);
    s.append(el("rect", { x: x0, y: y0, width: w, height: h, fill: "url(#waves)" }));
    const land = el("g", { stroke: "var(--land)", fill: "var(--land)", "stroke-linecap": "round", "stroke-linejoin": "round" }); s.append(land);
    const inner = site.roads.filter(r => r.from !== site.quay && r.to !== site.quay);
    for (const r of inner) land.append(el("path", { d: `M${r.a}L${r.b}`, "stroke-width": r.from === site.land ? 320 : 150 }));
    for (const n of site.nodes) land.append(el("circle", { cx: n.map.x, cy: n.map.y, r: 62 }));
    const quays = el("g", { stroke: "var(--quay)", "stroke-width": 64, "stroke-linecap": "butt" }); s.append(quays);
    for (const r of site.roads) if (r.from === site.quay || r.to === site.quay) quays.append(el("path", { d: `M${r.a}L${r.b}` }));
    const edge = el("g", { stroke: "var(--roadedge)", "stroke-width": 22, "stroke-linecap": "round" }), road = el("g", { stroke: "var(--road)", "stroke-width": 17, "stroke-linecap": "round" }), mid = el("g", { stroke: "var(--roadedge)", "stroke-width": 1.6, "stroke-dasharray": "9 9" });
    const rare = new Set(site.nodes.filter(n => n.exceptional).map(n => n.id));
    for (const r of site.roads) { const d = `M${r.a}L${r.b}`, thin = rare.has(r.to); edge.append(el("path", { d, ...(thin && { "stroke-width": 14 }) })); road.append(el("path", { d, ...(thin && { "stroke-width": 10 }) })); if (!thin) mid.append(el("path", { d })); }
    s.append(edge, road, mid);
    this.paths = el("g"); this.trails = el("g"); this.layer = el("g"); s.append(this.paths, this.trails);
    for (const n of site.nodes) {
      const g = el("g", { class: "node" + (n.exceptional ? " off" : ""), transform: `translate(${n.map.x} ${n.map.y})` });
      if (n.kind === "parking") g.append(el("rect", { x: -24, y: -24, width: 48, height: 48, rx: 8 }));
      else if (n.kind === "facility_gate") g.append(el("circle", { r: 25 }));
      else g.append(el("path", { d: "M0-30L28 0L0 30L-28 0Z" }));
      g.append(el("text", {}, n.id));
      const name = el("text", { class: "name", y: 46 }, n.name.replace(/^(Customs gate|Port security gate|Parking area|Wharf|Dock) /, "")); g.append(name);
      g.append(el("title", {}, n.name + (n.exceptional ? " (exceptional use)" : "")));
      s.append(g);
    }
    s.append(this.layer);
    const legend = document.getElementById("legend"); legend.textContent = "";
    for (const p of site.processes) { const d = document.createElement("span"), i = document.createElement("i"); i.style.background = procColour(p.id); d.append(i, `${p.id} ${p.name}`); legend.append(d); }
  },
  move(list) {
    const seen = new Set();
    for (const [id, x, y, process, state, plate, story] of list) {
      seen.add(id); let t = this.trucks.get(id);
      if (!t) {
        const g = el("g", { class: "truck", tabindex: 0, role: "button", "aria-label": `Truck ${plate}, ${process}` });
        g.append(el("rect", { x: -13, y: -7, width: 26, height: 14, rx: 4, fill: procColour(process) }), el("rect", { x: 6, y: -5, width: 5, height: 10, rx: 2, fill: "#fff8", stroke: "none" }), el("title", {}, `${plate} · ${process}`));
        if (story === "unknown") g.append(el("text", { y: -12, "text-anchor": "middle", "font-size": 20, "font-weight": 800, fill: "var(--bad)" }, "?"));
        const trail = el("polyline", { class: "trail", stroke: procColour(process) });
        const pick = () => this.follow(id); g.addEventListener("click", pick); g.addEventListener("keydown", e => { if (e.key === "Enter") pick(); });
        this.trails.append(trail); this.layer.append(g); t = { g, trail, x, y, a: -40, dots: [] }; this.trucks.set(id, t);
      }
      const dx = x - t.x, dy = y - t.y; if (dx * dx + dy * dy > .6) t.a = Math.atan2(dy, dx) * 180 / Math.PI;
      t.x = x; t.y = y; t.g.setAttribute("transform", `translate(${x} ${y}) rotate(${t.a}) scale(${id === this.followed ? 1.35 : 1})`);
      const last = t.dots[t.dots.length - 1]; if (!last || Math.hypot(last[0] - x, last[1] - y) > 7) { t.dots.push([x, y]); if (t.dots.length > 26) t.dots.shift(); t.trail.setAttribute("points", t.dots.join(" ")); }
    }
    for (const [id, t] of this.trucks) if (!seen.has(id)) { t.g.remove(); t.trail.remove(); this.trucks.delete(id); if (this.followed === id) this.follow(null); }
  },
  async follow(id) {
    this.followed = id; const box = document.getElementById("follow"); this.paths.textContent = "";
    if (id == null) { box.hidden = true; return; }
    const r = await fetch(`truck/${id}`).catch(() => null); if (!r || !r.ok) { box.hidden = true; this.followed = null; return; }
    const t = await r.json(); if (this.followed !== id) return; box.hidden = false; box.textContent = "";
    const add = (tag, text, cls) => { const e = document.createElement(tag); if (text != null) e.textContent = text; if (cls) e.className = cls; box.append(e); return e; };
    const close = add("button", "✕"); close.setAttribute("aria-label", "Stop following"); close.onclick = () => this.follow(null);
    add("h3", t.tractor + (t.trailer ? " + " + t.trailer : ""));
    add("div", `${t.haulier} · ${t.country} · ${(t.gross_kg / 1000).toFixed(1)} t` + (t.container ? ` · ${t.container}` : ""));
    add("div", t.mission ? `${t.mission} · ${t.process} · ${t.status}` : t.story === "unknown" ? "nobody announced this truck" : "not announced yet");
    const path = add("div", null, "path"); t.legs.forEach((l, i) => { const s = document.createElement("span"); s.textContent = l.node + (l.direction === "in" ? "↗" : "↙"); s.className = i < t.next ? "done" : i === t.next ? "next" : ""; path.append(s); });
    add("div", t.lane ? `at ${t.lane}` : t.finished ? "mission done" : "on the road");
    const points = t.legs.map(l => this.site.nodes.find(n => n.id === l.node)?.map).filter(Boolean).map(m => `${m.x},${m.y}`);
    this.paths.append(el("polyline", { points: points.join(" "), fill: "none", stroke: procColour(t.process), "stroke-width": 9, "stroke-dasharray": "2 15", "stroke-linecap": "round" }));
  }
};
