/* Light or dark: as the system says, unless the reader chose. The choice is kept where the browser allows it. */

const THEME_KEY = "batchctl-theme";
const THEMES = ["system", "light", "dark"];

let theme = "system";

/** Read the choice and apply it: "system", "light" or "dark". */
export function startTheme() {
  const kept = storage()?.getItem(THEME_KEY);
  applyTheme(THEMES.includes(kept) ? kept : "system");
}

export function currentTheme() {
  return theme;
}

/** Make the choice, and keep it for the next visit. */
export function chooseTheme(choice) {
  storage()?.setItem(THEME_KEY, choice);
  applyTheme(choice);
}

function applyTheme(choice) {
  theme = choice;
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

/** Browsers refuse storage to some pages, such as files. */
function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
