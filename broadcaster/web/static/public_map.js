// A small map of an alert's area, drawn from outlines alone; the page says the same in words.
"use strict";

(function () {
  const place = document.getElementById("map");
  if (!place || !window.L) return;
  const style = getComputedStyle(document.documentElement);
  const edge = style.getPropertyValue("--faint").trim();
  const bad = style.getPropertyValue("--bad").trim();

  function drawn(feature, at) {
    const radius = feature.properties.radius;
    return radius ? L.circle(at, { radius, color: bad, weight: 2 }) : L.circleMarker(at, { radius: 7, color: bad, weight: 2 });
  }

  async function show() {
    const answer = await fetch(place.dataset.area);
    if (!answer.ok) return;
    const area = await answer.json();
    if (!area.features.some((feature) => feature.properties.role === "area")) return;
    place.hidden = false;
    const map = L.map(place, { attributionControl: false, zoomControl: false, scrollWheelZoom: false, zoomSnap: 0.25 });
    L.control.zoom({ zoomInTitle: place.dataset.in, zoomOutTitle: place.dataset.out }).addTo(map);
    map.fitBounds([[29, 121], [30, 122]]); // a map must stand somewhere before circles can be drawn
    const part = (role, look) =>
      L.geoJSON(area, { filter: (feature) => feature.properties.role === role, style: look, pointToLayer: drawn, onEachFeature: named });
    part("ground", { color: edge, weight: 1, fill: false, interactive: false }).addTo(map);
    const shown = part("area", { color: bad, weight: 2, fillOpacity: 0.25 }).addTo(map);
    map.fitBounds(shown.getBounds().pad(0.15), { animate: false, maxZoom: 15 });
  }

  function named(feature, layer) {
    if (!feature.properties.name || feature.properties.role !== "area") return;
    const name = document.createElement("span");
    name.textContent = feature.properties.name; // as text: a name is not markup
    layer.bindTooltip(name);
  }

  show().catch(() => {});
})();
