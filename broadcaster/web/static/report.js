// The chart of a report: households reached over time. The same numbers stand in the table below it.
"use strict";

(function () {
  const canvas = document.getElementById("chart");
  if (!canvas || !window.Chart) return;
  const course = JSON.parse(canvas.dataset.course);
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--faint").trim() || "#555";

  function line(label, column, colour, dash) {
    return {
      label,
      data: course.points.map((point) => ({ x: point[0], y: point[column] })),
      borderColor: colour,
      borderDash: dash,
      backgroundColor: colour,
      pointRadius: course.points.length > 60 ? 0 : 2,
      tension: 0,
    };
  }

  window.Chart.defaults.color = ink;
  const chart = new window.Chart(canvas, {
    type: "line",
    data: { datasets: [line(course.reached, 1, "#2c8a4b", []), line(course.submitted, 2, "#6b7f99", [6, 4])] },
    options: {
      animation: false,
      maintainAspectRatio: false,
      scales: {
        x: { type: "linear", title: { display: true, text: course.axis } },
        y: { beginAtZero: true, suggestedMax: course.total },
      },
    },
  });
  addEventListener("beforeprint", () => {
    chart.resize();
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
  });
  canvas.dataset.drawn = String(course.points.length);
})();
