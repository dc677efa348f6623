// Trying out an operation in the documentation, as a person would.
import { expect } from "./fixtures.js";

// execute opens an operation, sends it and returns the answer's status and text.
export async function execute(page, id, body) {
  const operation = page.locator("#operations-" + id);
  if (!(await operation.getByRole("button", { name: "Execute" }).isVisible())) {
    await operation.locator(".opblock-summary-control").click();
  }
  if (body) {
    await operation.locator("textarea.body-param__text").fill(JSON.stringify(body));
  }
  const answer = page.waitForResponse(/\/(api|demo)\//);
  await operation.getByRole("button", { name: "Execute" }).click();
  const response = await answer;
  await expect(operation.locator(".live-responses-table .response .response-col_status")).toContainText(String(response.status()));
  return { status: response.status(), body: response.status() === 204 ? undefined : await response.json() };
}
