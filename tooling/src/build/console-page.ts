import { readFile } from "node:fs/promises";
import { inRepository } from "../repository/repository.ts";
import { tool } from "../repository/tool.ts";

/** Where the page is kept; the script beside it makes it. `serving/` is imported by nobody, so that it is run. */
const SCRIPT = inRepository("serving/src/console/build-page.ts");
const PAGE = "serving/src/console/page.generated.ts";

/** Makes the server's console page. Returns the path when it has changed. */
export async function buildConsolePage(): Promise<string[]> {
  const before = await readFile(inRepository(PAGE), "utf8").catch(() => "");
  await tool(process.execPath, [SCRIPT]);
  return before === (await readFile(inRepository(PAGE), "utf8")) ? [] : [PAGE];
}
