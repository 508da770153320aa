/** A notebook whose first cell takes the parameters, as its file. */
export function notebookText(...cells: readonly string[]): string {
  const all = cells.map((source, index) => ({
    cell_type: "code",
    id: `cell-${index}`,
    source,
    metadata: index === 0 ? { tags: ["parameters"] } : {},
    outputs: [],
    execution_count: null,
  }));
  const metadata = { kernelspec: { name: "another-kernel", display_name: "Another", language: "python" } };
  return JSON.stringify({ cells: all, metadata, nbformat: 4, nbformat_minor: 5 });
}
