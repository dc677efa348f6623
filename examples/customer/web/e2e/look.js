// What axe and a person see on a page.
import AxeBuilder from "@axe-core/playwright";

// violations returns what axe finds. axe would describe everything that it does not object to,
// too, and open a page for the frames of other sites, which takes longer than its checks.
// narrow limits axe to a part of the page or of its rules.
export async function violations(page, narrow = (axe) => axe) {
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  return (await narrow(axe).analyze()).violations;
}

// picture writes screenshots/NAME.png if the environment has PICTURES=1. The pictures are for
// a person, and the tests do not read them.
export async function picture(page, name) {
  if (process.env.PICTURES) {
    await page.screenshot({ path: `screenshots/${name}.png`, fullPage: true });
  }
}
