// A map of regions on plain Leaflet, without tiles: outlines from our own API, to pick and to draw on.
"use strict";

window.DaohuMap = class {
  // `options`: outlines (URL), isChosen(code), toggle(code, name), shapes() → text, write(text), words (data attributes).
  constructor(element, options) {
    this.options = options;
    this.map = L.map(element, { attributionControl: false, zoomSnap: 0.5, doubleClickZoom: false });
    this.map.setView([30, 120], 8);
    this.regions = new Map();
    this.layer = L.layerGroup().addTo(this.map);
    this.drawn = L.layerGroup().addTo(this.map);
    this.sketch = L.layerGroup().addTo(this.map);
    this.corners = [];
    this.mode = "";
    this.map.on("click", (event) => this.clicked(event.latlng));
    this.map.on("dblclick", () => this.finish());
    this.map.on("zoomend", () => this.villages());
  }

  async load() {
    const found = await this.fetched(2);
    const box = L.latLngBounds([]);
    found.forEach((feature) => this.put(feature, 2));
    this.layer.eachLayer((one) => box.extend(one.getBounds ? one.getBounds() : one.getLatLng()));
    if (box.isValid()) this.map.fitBounds(box, { padding: [12, 12], maxZoom: 13 });
    this.fit = this.map.getZoom();
    this.paint();
    this.draw();
  }

  async fetched(level) {
    const answer = await fetch(this.options.outlines + "?level=" + level, { headers: { Accept: "application/geo+json" } });
    return answer.ok ? (await answer.json()).features : [];
  }

  // Villages are many: they come when the reader looks closer.
  async villages() {
    if (this.asked || this.fit === undefined || this.map.getZoom() < this.fit + 1) return;
    this.asked = true;
    (await this.fetched(3)).forEach((feature) => this.put(feature, 3));
    this.paint();
  }

  put(feature, level) {
    if (!feature.geometry) return;
    const made = L.geoJSON(feature, { pointToLayer: (_, at) => L.circleMarker(at, { radius: level === 2 ? 9 : 6 }) });
    const name = document.createElement("span"); // a name is text, whatever it holds
    name.textContent = feature.properties.name;
    made.bindTooltip(name, { sticky: true });
    made.on("click", (event) => {
      if (this.mode) return; // drawing: the map below gets the click
      L.DomEvent.stop(event);
      this.options.toggle(feature.properties.code, feature.properties.name);
    });
    made.addTo(this.layer);
    this.regions.set(feature.properties.code, { layer: made, level: level });
  }

  paint() {
    this.regions.forEach((one, code) => {
      const chosen = this.options.isChosen(code);
      one.layer.setStyle({
        color: chosen ? "#b3261e" : "#5d5a57", weight: one.level === 2 ? 2 : 1,
        fillColor: chosen ? "#b3261e" : "#8a8783", fillOpacity: chosen ? 0.35 : 0.08,
      });
    });
  }

  begin(mode) {
    this.mode = mode;
    this.corners = [];
    this.sketch.clearLayers();
    this.map.getContainer().classList.toggle("drawing", Boolean(mode));
  }

  clicked(at) {
    if (!this.mode) return;
    this.corners.push(at);
    if (this.mode === "circle" && this.corners.length === 2) return this.finish();
    this.sketch.clearLayers();
    L.polyline(this.corners, { color: "#5b2a86", dashArray: "4" }).addTo(this.sketch);
    this.corners.forEach((corner) => L.circleMarker(corner, { radius: 4, color: "#5b2a86" }).addTo(this.sketch));
  }

  finish() {
    const [first, second] = this.corners;
    const corners = this.corners.filter((one, place) => !place || !one.equals(this.corners[place - 1]));
    let line = "";
    if (this.mode === "circle" && second) line = this.at(first) + " " + (this.map.distance(first, second) / 1000).toFixed(2) + "km";
    if (this.mode === "polygon" && corners.length > 2) line = corners.map(this.at).join(" ");
    this.begin("");
    if (line) this.options.write([this.options.shapes().trim(), line].filter(Boolean).join("\n"));
    this.draw();
    return Boolean(line);
  }

  at(point) {
    return point.lng.toFixed(6) + "," + point.lat.toFixed(6);
  }

  // What stands in the text field is what is drawn, whoever wrote it.
  draw() {
    this.drawn.clearLayers();
    const style = { color: "#b3261e", weight: 2, fillOpacity: 0.2 };
    this.options.shapes().split("\n").forEach((line) => {
      const words = line.trim().split(/\s+/).filter(Boolean);
      const points = words.filter((word) => word.includes(",")).map((word) => word.split(",").map(Number).reverse());
      if (!points.length || points.flat().some((number) => !Number.isFinite(number))) return;
      const km = parseFloat(words[words.length - 1]);
      if (points.length === 1 && words.length === 2 && km >= 0) L.circle(points[0], { ...style, radius: km * 1000 }).addTo(this.drawn);
      if (points.length > 2) L.polygon(points, style).addTo(this.drawn);
    });
  }
};
