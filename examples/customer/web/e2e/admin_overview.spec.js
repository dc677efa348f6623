import { chooseAccount, expect, heading, refused, signIn, test } from "./fixtures.js";

const admin = "admin@example.com";

test("the overview follows sign-ins, refusals and the ends of sessions", async ({ serve, visit, allowed }) => {
  allowed.push(refused(403));
  const site = await serve("-db", "memory", "-invited-only");
  const page = await visit(site + "/login?next=/admin/overview");
  await signIn(page, admin);
  await expect(heading(page, "Overview")).toBeVisible();
  const chart = (name) => page.getByRole("region", { name, exact: true });
  await expect(chart("Sign-ins")).toContainText("1 in the last hour");
  await expect(chart("Live sessions")).toContainText("1 now");
  await expect(chart("Refusals")).toContainText("0 in the last hour");

  // The page follows without being loaded again.
  const stranger = await visit(site + "/login");
  await chooseAccount(stranger, "stranger@example.com");
  await expect(stranger.getByRole("alert")).toContainText("ask for an invitation");
  await expect(chart("Refusals")).toContainText("not admitted 1");
  const other = await visit(site + "/login?next=/devices");
  await signIn(other, admin);
  await expect(chart("Sign-ins")).toContainText("2 in the last hour");
  await expect(chart("Live sessions")).toContainText("2 now");
  await other.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(chart("Ended sessions")).toContainText("1 in the last hour");

  // The numbers of the drawing are in a table.
  await chart("Refusals").getByText("As a table").click();
  await expect(chart("Refusals").getByRole("columnheader", { name: "not admitted" })).toBeVisible();
  await expect(chart("Refusals").getByRole("cell", { name: "1", exact: true })).toBeVisible();
  await expect(page.getByText("this server process since its start")).toBeVisible();
});
