// This file keeps how far the person has come in the tour, and the browsers inside the
// program that the tour has opened.

import { untrack } from "svelte";

import { apiURL } from "./api.js";
import { demo } from "./demo.js";
import { session } from "./session.svelte.js";
import { load, save } from "./storage.js";

export const steps = ["signIn", "end", "thief", "outage", "hijack", "disable"];

// tour.done has the steps that have happened, and tour.news the last result in words.
// Every round of the tour begins with new components.
export const tour = $state({ done: steps.filter((step) => load("tour", "sessionStorage").split(",").includes(step)), news: "", round: 0 });

const remember = () => save("tour", tour.done.join(","), "sessionStorage");

// finish ticks a step and says what has happened. An effect that calls it does not run again
// when the tour changes.
export function finish(step, news) {
  untrack(() => {
    if (!tour.done.includes(step)) {
      tour.done.push(step);
      remember();
    }
    tour.news = news;
  });
}

export function restart() {
  tour.done = session.user ? ["signIn"] : [];
  tour.news = "";
  tour.round++;
  remember();
}

export const admin = "admin@example.com";

// others returns two accounts that are not the person's own.
export function others() {
  const own = session.user?.email.toLowerCase();
  return own === "bob@example.com" ? ["ada@example.com", "grace@example.com"] : ["bob@example.com", own === "ada@example.com" ? "grace@example.com" : "ada@example.com"];
}

// isInside reports whether the session is that of a browser inside the program. Their address
// is one that RFC 5737 keeps for examples, so no real browser has it.
export const isInside = ({ ip }) => ip === "192.0.2.1";

// A RemoteBrowser is a browser inside the program. Its state follows what it experiences.
export class RemoteBrowser {
  email = "";
  userAgent = "";
  session = ""; // the ID of its session
  user = ""; // the ID of its user
  page = $state(""); // the path of the last page or request that was answered
  ended = $state.raw(null); // {code, ms} when its session has ended
  refused = $state.raw(null); // the first request after the end, {status, ms}
  #id = "";
  #source;
  #whenRefused;
  refusal; // a promise of this browser when it has been refused

  // open signs a new browser in, as the person or with another account.
  static async open(email) {
    const browser = new RemoteBrowser();
    const answer = await demo("POST", "/browsers", email ? { email } : {});
    Object.assign(browser, { email: answer.email, userAgent: answer.user_agent, session: answer.session, user: answer.user });
    browser.#follow(answer.id);
    return browser;
  }

  #follow(id) {
    this.#id = id;
    this.refusal = new Promise((resolve) => (this.#whenRefused = resolve));
    this.#source = new EventSource(apiURL(`/demo/browsers/${id}/events`), { withCredentials: true });
    this.#source.addEventListener("ended", ({ data }) => (this.ended = JSON.parse(data)));
    this.#source.addEventListener("request", ({ data }) => {
      const request = JSON.parse(data);
      this.page = request.path;
      if (this.ended) {
        this.#source.close(); // a browser has few connections to a host
        this.refused = request;
        this.#whenRefused(this);
      }
    });
  }

  // send lets the browser send a request, and returns the texts.
  send = (method, path, body) => demo("POST", `/browsers/${this.#id}/send`, { method, path, ...(body ? { body: JSON.stringify(body) } : {}) });

  // steal copies the browser's cookie. It returns a function that sends GET /api/user with the copy.
  async steal() {
    const { id } = await demo("POST", "/thief", { browser: this.#id });
    return () => demo("POST", "/thief/send", { id });
  }

  // close needs no answer, because the server closes a forgotten browser by itself.
  close() {
    this.#source.close();
    demo("DELETE", "/browsers/" + this.#id).catch(() => {});
  }
}

// openAllowed opens a browser of an account. If the account is disabled, as after an earlier
// tour that was left half way, a browser of an administrator enables it first.
export async function openAllowed(email) {
  try {
    return await RemoteBrowser.open(email);
  } catch (problem) {
    if (problem.code !== "sign_in_refused") {
      throw problem;
    }
    await enable(email);
    return RemoteBrowser.open(email);
  }
}

// enable lets a user sign in again.
export async function enable(email) {
  const browser = await RemoteBrowser.open(admin);
  try {
    const found = await browser.send("GET", "/api/admin/users?email=" + encodeURIComponent(email));
    const users = JSON.parse(found.answer.slice(found.answer.indexOf("\n\n"))).users;
    for (const user of users.filter((user) => user.email === email && user.disabled)) {
      await browser.send("PATCH", "/api/admin/users/" + encodeURIComponent(user.id), { disabled: false });
    }
  } finally {
    browser.close();
  }
}
