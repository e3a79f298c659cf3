// Runs in the page: Lab alone shows the same cells, a token at a time, with nothing of Datarus between. Resolves to what
// was written when: the cell's id, its kind, its characters by then without white space, and the time.
async ({ cells, pause }) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const shared = content.model.sharedModel;
  const outer = content.outerNode;
  const sent = [];

  async function write(kind, tokens) {
    shared.insertCell(shared.cells.length, { cell_type: kind === 'code' ? 'code' : 'markdown' });
    const cell = shared.cells.at(-1);
    const widget = content.widgets.at(-1);
    for (const [number, token] of tokens.entries()) {
      const end = cell.getSource().length;
      cell.updateSource(end, end, token);
      if (kind !== 'code') {
        widget.rendered = true;
        widget.update();
      }
      sent.push([cell.id, kind, cell.getSource().replace(/\s/g, '').length, Date.now()]);
      requestAnimationFrame(() => {
        const below =
          widget.node.getBoundingClientRect().bottom - outer.getBoundingClientRect().bottom;
        if (below > 0) {
          outer.scrollTop += below + 0.5 * outer.clientHeight;
        }
      });
      await new Promise(resolve => setTimeout(resolve, pause));
    }
  }

  for (const { kind, tokens } of cells) {
    await write(kind, tokens);
  }
  return sent;
};
