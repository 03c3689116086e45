// The map of an alert: villages coloured by the share of households that are reached; a click shows the grids of one.
// Drawn from our own outlines, without tiles; a place without an outline is a circle at its middle.
"use strict";

(function () {
  const box = document.getElementById("map");
  if (!box || !window.L) return;

  const map = L.map(box, { attributionControl: false, zoomSnap: 0.25, preferCanvas: true });
  const live = document.getElementById("live");
  const whole = document.getElementById("whole");
  const places = new Map();
  let shares = JSON.parse(box.dataset.shares);
  let grids = null;
  let all = null;

  // Grades tell apart without colour as well: from light to dark, and a dashed edge where somebody is not reached.
  const NOWHERE = { setStyle() {} }; // a place without coordinates
  const GRADES = ["#c2453c", "#e8954a", "#f3d36b", "#9ccf9f", "#2c8a4b"];

  function grade(total, reached) {
    const share = total ? reached / total : 0;
    if (share >= 1) return 4;
    return share >= 0.95 ? 3 : share >= 0.8 ? 2 : share >= 0.5 ? 1 : 0;
  }

  function style(counts) {
    const [total, reached, unreached] = counts;
    return {
      color: unreached ? "#5b1410" : "#444",
      weight: unreached ? 2 : 1,
      dashArray: unreached ? "4 3" : null,
      fillColor: total ? GRADES[grade(total, reached)] : "#bbb",
      fillOpacity: 0.75,
    };
  }

  function words(name, [total, reached, unreached]) {
    const text = document.createElement("span"); // names are text, whatever is written in them
    const tally = box.dataset.tally.replace("{reached}", reached).replace("{total}", total).replace("{unreached}", unreached);
    text.textContent = name + "  " + tally;
    return text;
  }

  function counted(feature) {
    return feature.properties.counts || shares[feature.id] || [0, 0, 0];
  }

  function layer(collection, chosen) {
    return L.geoJSON(collection, {
      filter: (feature) => feature.geometry !== null,
      style: (feature) => style(counted(feature)),
      pointToLayer: (feature, at) =>
        L.circleMarker(at, { radius: 4 + Math.min(14, Math.sqrt(counted(feature)[0]) / 3), ...style(counted(feature)) }),
      onEachFeature: (feature, shape) => {
        shape.bindTooltip(() => words(feature.properties.name, counted(feature)), { sticky: true });
        if (chosen) shape.on("click", () => chosen(feature));
      },
    });
  }

  function fit(shown) {
    const bounds = shown.getBounds();
    if (bounds.isValid()) map.fitBounds(bounds, { padding: [12, 12], maxZoom: 15 });
    else map.setView([0, 0], 1);
  }

  async function fetched(address) {
    const answer = await fetch(address, { redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async function showGrids(feature) {
    const found = layer(await fetched(box.dataset.outlines + "?village=" + feature.id), null);
    leaveGrids();
    grids = found.addTo(map);
    if (grids.getLayers().length) fit(grids);
    whole.hidden = false;
  }

  function leaveGrids() {
    if (grids) grids.remove();
    grids = null;
    whole.hidden = true;
  }

  function colour() {
    for (const [code, shape] of places) shape.setStyle(style(shares[code] || [0, 0, 0]));
  }

  whole.addEventListener("click", () => {
    leaveGrids();
    fit(all);
    box.focus();
  });
  live.addEventListener("shares", (event) => {
    shares = event.detail;
    if (Object.keys(shares).some((code) => !places.has(code))) draw();
    else colour();
  });

  async function draw() {
    const collection = await fetched(box.dataset.outlines);
    const first = all === null;
    if (all) all.remove();
    places.clear();
    all = layer(collection, (feature) => showGrids(feature).catch(() => {}));
    all.eachLayer((shape) => places.set(shape.feature.id, shape));
    all.addTo(map);
    for (const feature of collection.features) if (!places.has(feature.id)) places.set(feature.id, NOWHERE);
    if (first) fit(all);
    box.dataset.drawn = String(all.getLayers().length);
  }

  draw().catch(() => {
    box.textContent = box.dataset.missing;
  });
})();
