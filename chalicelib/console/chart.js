/* Draws lines, bars and gauges with ECharts, which only this module and chart-options.js know. It is loaded when the
   first chart is drawn, so that the page's numbers never wait for it. Without it, `library()` is null and nothing is
   drawn. */

import { gauge, lines } from "./chart-options.js";
import { whenChanged } from "./theme.js";

let loading = null;

/** ECharts, or null where it is not installed. */
export function library() {
  loading ??= import("./echarts.js").catch(() => null);
  return loading;
}

/** One chart in `node`. It draws only while it can be seen, and follows the size of its place. */
export class Chart {
  #node;
  #group;
  #drawn = null;
  #wanted = null;
  #visible = false;
  #closed = false;
  #watches = [];

  constructor(node, { group = null } = {}) {
    this.#node = node;
    this.#group = group;
    const seen = new IntersectionObserver(([entry]) => this.#see(entry.isIntersecting), { rootMargin: "300px" });
    const size = new ResizeObserver(() => this.#drawn?.resize());
    seen.observe(node);
    size.observe(node);
    const off = whenChanged(() => this.#again());
    this.#watches = [() => seen.disconnect(), () => size.disconnect(), off];
  }

  /** Shows `model`: {kind: "lines" | "gauge", …}; see chart-options.js for the rest. */
  draw(model) {
    this.#wanted = model;
    if (this.#visible) this.#show();
  }

  /** Gives everything back. */
  close() {
    this.#closed = true;
    for (const end of this.#watches) end();
    this.#drawn?.dispose();
    this.#drawn = null;
  }

  #see(visible) {
    this.#visible = visible;
    if (visible && this.#wanted) this.#show();
  }

  #again() {
    if (this.#wanted && this.#drawn) this.#show();
  }

  async #show() {
    const echarts = await library();
    if (!echarts || this.#closed || !this.#node.isConnected) return;
    this.#drawn ??= this.#open(echarts);
    const option = this.#wanted.kind === "gauge" ? gauge(this.#wanted) : lines(this.#wanted, this.#node.clientWidth);
    this.#drawn.setOption(option, { replaceMerge: ["series", "yAxis"], lazyUpdate: true });
  }

  #open(echarts) {
    const drawn = echarts.init(this.#node, null, { renderer: "canvas" });
    if (this.#group) {
      drawn.group = this.#group;
      echarts.connect(this.#group);
    }
    return drawn;
  }
}
