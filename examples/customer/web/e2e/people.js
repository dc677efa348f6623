// Users, customers and an invitation whose names are hard on a layout.
import { expect } from "./fixtures.js";

export const longWord = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafewarenwohlgepf"; // 100 letters
export const longAddress = `${"address-of-64-letters-".repeat(3).slice(0, 64)}@sub-domain.example.com`;

export const people = [
  { email: "long@example.com", name: longWord },
  { email: "emoji@example.com", name: "👩‍👩‍👧‍👦 🏳️‍🌈 🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊" },
  { email: "arabic@example.com", name: "عبد الرحمن بن محمد الأندلسي" },
];

// serveHard starts a demo with these people, and returns its URL. The administrator has the
// long address.
export async function serveHard({ serve, visit }) {
  const site = await serve("-demo", "-db", "memory", "-admins", longAddress);
  for (const person of people) {
    await become(await visit(site + "/login?code=signed_out"), person);
  }
  const page = await visit(site + "/login?code=signed_out");
  await become(page, { email: longAddress, name: longWord });
  const { users } = await ask(page, "GET", "/admin/users");
  for (const name of [longWord, "عبد الرحمن بن محمد", "👩‍👩‍👧‍👦🏳️‍🌈", "x"]) {
    await ask(page, "POST", "/customer", { name, email: name === longWord ? longAddress : "a@example.com" });
  }
  await ask(page, "POST", "/admin/invitations", { email: longAddress.replace("@", "x@").slice(1), admin: true });
  const emoji = users.find(({ email }) => email === "emoji@example.com");
  await ask(page, "PATCH", "/admin/users/" + encodeURIComponent(emoji.id) + "?reason=" + longWord, { disabled: true });
  return { site, users };
}

// become signs a browser in as a person with any name. It does what Google's button does.
export async function become(page, { email, name }) {
  const status = await page.evaluate(async (person) => {
    const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const { nonce } = await (await fetch("/api/login")).json();
    const token = await (await fetch("/demo/token", json({ ...person, nonce }))).json();
    return (await fetch("/api/login", json(token))).status;
  }, { email, name });
  expect(status, email).toBe(200);
}

// ask sends a request of the signed-in page and returns the answer.
export async function ask(page, method, path, body) {
  const { status, answer } = await page.evaluate(
    async ([method, path, body]) => {
      const response = await fetch("/api" + path, { method, ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}) });
      const text = await response.text();
      return { status: response.status, answer: text && JSON.parse(text) };
    },
    [method, path, body],
  );
  expect(status, `${method} ${path}: ${JSON.stringify(answer)}`).toBeLessThan(300);
  return answer;
}

// open opens a page and waits until it has its data.
export async function open(page, url) {
  await page.goto(url);
  await settled(page);
}

export async function settled(page) {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}

// states calls see with the name of each state of each page, while the browser shows it.
export async function states(page, { site, users }, see) {
  const state = async (name, path, prepare = async () => {}) => {
    await open(page, site + path);
    await prepare();
    await see(name);
  };
  const closeOneTap = async () => {
    const oneTap = page.getByRole("dialog");
    await expect(oneTap).toBeVisible();
    await see("login-one-tap");
    await page.keyboard.press("Escape");
    await oneTap.getByRole("button").last().click();
    await expect(oneTap).toHaveCount(0);
  };
  await state("top-visitor", "/");
  await state("login", "/login?code=session_revoked", closeOneTap);
  await state("not-found", "/no/such/page");
  await become(page, { email: longAddress, name: longWord });
  await state("top", "/");
  await state("login-signed-in", "/login");
  await state("customers", "/customer");
  await state("customers-none", "/customer?q=no-such-customer");
  await state("devices", "/devices");
  await state("overview", "/admin/overview");
  await state("users", "/admin");
  await state("users-none", "/admin?q=no-such-user");
  for (const { email, id } of users.filter(({ email }) => ["long@example.com", "emoji@example.com"].includes(email))) {
    await state("user-" + email.split("@")[0], "/admin/users/" + encodeURIComponent(id));
  }
  await state("user-unknown", "/admin/users/demo%3A0");
  await state("sessions", "/admin/sessions");
  await state("invitations", "/admin/invitations");
  await state("audit", "/admin/audit");
  await state("palette", "/customer", async () => {
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("dialog").getByRole("combobox")).toBeFocused();
  });
  await page.route("**/api/customer?*", unavailable);
  await page.route("**/api/customer", unavailable);
  await page.goto(site + "/customer");
  await expect(page.getByRole("alert").first()).toBeVisible();
  await see("customers-unavailable");
  await page.route("**/api/user", unavailable);
  await page.goto(site + "/customer");
  await expect(page.getByRole("alert").first()).toBeVisible();
  await see("unavailable");
}

const unavailable = (route) =>
  route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"code":"unavailable","detail":"The service cannot answer right now. Please try again."}' });
