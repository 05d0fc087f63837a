/* Addresses are fragments, so that they work from a file, too: #/jobs/NAME, #/timeline?phase=Active. */

let place = ""; // the last fragment that names a view

/** Whether the address names a view, and not a part of the one that is shown, as `#main` does. */
export function isAtView() {
  return location.hash === "" || location.hash.startsWith("#/");
}

/** The place of the page: its parts, and its parameters with all their values. */
export function currentRoute() {
  if (isAtView()) place = location.hash;
  const [path, query = ""] = place.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(safeDecode);
  return { parts, parameters: new URLSearchParams(query) };
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a place: `address(["jobs", name], {q: "fr"})`. Empty values are left out. */
export function address(parts, parameters = {}) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") words.append(name, one);
  }
  const query = words.toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

export function jobAddress(name) {
  return address(["jobs", name]);
}

/** Put other parameters into the address without a new entry in the history: typing in a search field is no journey. */
export function replaceParameters(parts, parameters) {
  history.replaceState(null, "", address(parts, parameters));
}
