for (const svg of document.querySelectorAll("svg[data-points]")) {
  const points = JSON.parse(svg.dataset.points);
  const here = svg.querySelector(".here");
  const said = svg.parentElement.querySelector("output");
  const number = (value) => value.toLocaleString("en");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    const y = (event.clientY - box.top) * svg.viewBox.baseVal.height / box.height;
    const far = (point) => Math.hypot(point[0] - x, (point[1] - y) / 4);
    const [px, py, at, edges, executions, corpus] = points.reduce((a, b) => far(b) < far(a) ? b : a);
    here.setAttribute("cx", px);
    here.setAttribute("cy", py);
    here.setAttribute("visibility", "visible");
    said.textContent = `${at} s: ${number(edges)} edges, ${number(executions)} executions, corpus ${number(corpus)}`;
  });
  svg.addEventListener("pointerleave", () => {
    here.setAttribute("visibility", "hidden");
    said.textContent = "\u00a0";
  });
}
