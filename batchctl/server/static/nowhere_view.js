/* An address that names no view. */

import { h } from "./render.js";
import { empty } from "./parts.js";

export function nowhereView(app, route) {
  const render = () => [
    h("h1", null, "No such page"),
    empty(`Nothing is at ${route.parts.join("/")}.`, h("a", { href: "#/" }, "All jobs")),
  ];
  return { title: "No such page", load: async () => {}, render };
}
