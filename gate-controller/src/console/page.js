"use strict";
const STATES = {
  starting: ["Starting", "quiet"], idle: ["Free", "quiet"], identifying: ["Reading", "calm"], deciding: ["Asking central", "calm"],
  held: ["Held", "wait"], referred: ["Operator needed", "stop"], raising: ["Raising", "go"], passing: ["Pass", "go"],
  clearing: ["Clearing", "calm"], lowering: ["Lowering", "calm"], faulted: ["Fault", "stop"], local: ["In local hands", "wait"], closed: ["Closed", "wait"],
};
const SLOTS = {
  tractor_plate: "Front plate", trailer_plate: "Rear plate", itu: "Load unit", vehicle_tag: "Vehicle tag", container_tag: "Unit tag", adr: "ADR panel", seal: "Seal", gate_pass: "Gate pass",
};
const ARMS = { up: "Arm up", down: "Arm down", between: "Arm moves", contradictory: "Arm: both limits", unknown: "Arm unknown" };
const lanes = new Map();
const $ = (root, query) => root.querySelector(query);
const element = (tag, text, kind) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

function cardOf(view) {
  let lane = lanes.get(view.lane);
  if (lane) return lane;
  const card = $(document, "#lane").content.firstElementChild.cloneNode(true);
  lane = { card, shots: new Map() };
  lanes.set(view.lane, lane);
  $(card, "h2").textContent = view.lane;
  $(card, ".way").textContent = view.direction === "in" ? "towards the quay" : "towards the land";
  for (const button of card.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => act(view.lane, card, button.dataset.act));
  }
  const before = [...lanes.keys()].sort().find((other) => other > view.lane && lanes.get(other).card.isConnected);
  $(document, "#lanes").insertBefore(card, before ? lanes.get(before).card : null);
  return lane;
}

function show(view) {
  const { card, shots } = cardOf(view);
  const [word, tone] = STATES[view.state] ?? [view.state, "quiet"];
  card.className = `lane ${tone}`;
  $(card, ".state").textContent = word;
  $(card, ".boom").setAttribute("class", `boom ${view.arm}`);
  $(card, ".approach").setAttribute("class", `loop approach ${view.inputs.loop_approach}`);
  $(card, ".under").setAttribute("class", `loop under ${view.inputs.loop_under}`);
  $(card, ".armtext").textContent = ARMS[view.arm] ?? view.arm;
  $(card, ".sign").textContent = view.sign.join("\n");
  facts($(card, ".facts"), view);
  $(card, ".verdict").textContent = verdictText(view.verdict);
  $(card, ".reasons").replaceChildren(...(view.verdict?.reasons ?? []).map((r) => element("li", r.text)));
  faults($(card, ".faults"), view.faults);
  frames($(card, ".frames"), view, shots);
}

function facts(list, view) {
  const rows = [];
  const add = (name, value) => rows.push(element("dt", name), value);
  if (view.pass) add("Pass", element("dd", String(view.pass.number)));
  for (const slot of view.identity.slots) {
    const best = slot.candidates[0];
    if (!best) continue;
    const value = element("dd", undefined, slot.conflict ? "conflict" : "");
    value.append(element("span", best.value, "code"), " ", element("span", slot.conflict ? "sources disagree" : `${Math.round(best.probability * 100)} %`, "p"));
    add(SLOTS[slot.slot] ?? slot.slot, value);
  }
  if (typeof view.weight_kg === "number") add("Weight", element("dd", `${view.weight_kg.toLocaleString("en")} kg`));
  if (view.mission) {
    add("Mission", element("dd", `${view.mission.mission} · ${view.mission.process}`));
    add("Customs", element("dd", view.mission.status));
    for (const hold of view.mission.holds) add("Hold", element("dd", `${hold.authority}: ${hold.reason}`));
  }
  if (!rows.length) rows.push(element("dt", "Nobody here"), element("dd"));
  list.replaceChildren(...rows);
}

function verdictText(verdict) {
  if (!verdict) return "";
  if (verdict.verdict === "admit") {
    const next = verdict.instruction.next_node;
    return next ? `Admitted, next node ${next}` : "Admitted";
  }
  return verdict.verdict === "hold" ? "Held; the lane asks again by itself" : "Referred to an operator";
}

function faults(list, standing) {
  list.replaceChildren(...standing.map((fault) => {
    const item = element("li");
    item.append(element("b", fault.device), ` ${fault.text}`);
    return item;
  }));
}

function frames(box, view, shots) {
  for (const camera of view.cameras) {
    const reads = view.reads[camera] ?? [];
    let shot = shots.get(camera);
    if (!shot) {
      if (!reads.length) continue;
      const figure = element("figure");
      const image = element("img");
      image.alt = `Last frame of ${camera}`;
      const boxes = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const frame = element("div", undefined, "shot");
      frame.append(image, boxes);
      const caption = element("figcaption");
      figure.append(frame, caption);
      box.append(figure);
      shot = { image, boxes, caption, key: "", reads: [] };
      image.addEventListener("load", () => draw(shot));
      shots.set(camera, shot);
    }
    const key = reads.map((r) => r.frame_sha256 + r.text).join();
    if (key === shot.key) continue;
    shot.key = key;
    shot.reads = reads;
    const short = camera.startsWith(`${view.lane}.`) ? camera.slice(view.lane.length + 1) : camera;
    shot.caption.textContent = reads.length ? `${short}: ${reads.map((r) => r.text).join(", ")}` : short;
    if (reads.length) shot.image.src = `/api/v1/frames/${encodeURIComponent(camera)}?${shot.reads[0].frame_sha256.slice(0, 16)}`;
    draw(shot);
  }
}

function draw(shot) {
  const { naturalWidth: w, naturalHeight: h } = shot.image;
  if (!w) return;
  shot.boxes.setAttribute("viewBox", `0 0 ${w} ${h}`);
  shot.boxes.replaceChildren(...shot.reads.map((read) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of [["x", read.box.x], ["y", read.box.y], ["width", read.box.w], ["height", read.box.h]]) rect.setAttribute(name, value);
    return rect;
  }));
}

async function act(lane, card, what) {
  const value = (name) => $(card, `input[name=${name}]`).value;
  const said = $(card, ".said");
  said.textContent = "sending";
  try {
    const answer = await fetch(`/api/v1/lanes/${encodeURIComponent(lane)}/operator`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${value("token")}` },
      body: JSON.stringify({ name: value("name"), act: what, reason: value("reason") }),
    });
    const body = await answer.json();
    said.textContent = answer.ok ? "The lane has it." : body.detail;
  } catch (error) {
    said.textContent = `Not sent: ${error.message}`;
  }
}

async function health() {
  try {
    const body = await (await fetch("/api/v1/health")).json();
    faults($(document, "#faults"), body.faults);
  } catch { /* The stream's state tells that the node is not reached. */ }
}

const line = $(document, "#line");
const stream = new EventSource("/api/v1/stream");
stream.addEventListener("open", () => { line.textContent = "live"; line.classList.add("live"); });
stream.addEventListener("error", () => { line.textContent = "not connected, trying again"; line.classList.remove("live"); });
stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
health();
setInterval(health, 5000);
