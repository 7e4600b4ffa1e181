/** Colours: as the system says, or light, or dark; kept in this browser. */

import { find, tell } from "./dom.js";

const CHOICES = ["auto", "light", "dark"];
const NAMES = { auto: "◐ Auto", light: "○ Light", dark: "● Dark" };
const TOLD = { auto: "as the system", light: "light", dark: "dark" };
const KEY = "theme";

function kept() {
  try {
    const choice = localStorage.getItem(KEY);
    return CHOICES.includes(choice) ? choice : "auto";
  } catch {
    return "auto"; // the browser keeps nothing
  }
}

function apply(choice) {
  document.documentElement.dataset.theme = choice;
  tell(find("theme"), NAMES[choice]);
  find("theme").setAttribute("aria-label", `Colours: ${TOLD[choice]}`);
}

export function nextTheme() {
  const choice = CHOICES[(CHOICES.indexOf(document.documentElement.dataset.theme) + 1) % CHOICES.length];
  apply(choice);
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // it holds for this visit
  }
}

export function begin() {
  apply(kept());
  find("theme").addEventListener("click", nextTheme);
}
