// Runs in the page: at each frame after a change of the notebook, notes how much text the newest cells show, and when
// the frame was done. A message posted in an animation frame arrives after the browser has painted it.
(() => {
  const frames = [];
  const { port1, port2 } = new MessageChannel();
  let shown = null;
  let asked = false;

  function length(cell) {
    const place = cell.model.type === 'code' ? '.cm-content' : '.jp-RenderedMarkdown';
    return (cell.node.querySelector(place)?.textContent ?? '').replace(/\s/g, '').length;
  }

  function onFrame() {
    asked = false;
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.slice(-3);
    shown = cells.map(cell => [cell.model.id, length(cell)]);
    port2.postMessage(null);
  }

  port1.onmessage = () => {
    for (const [id, characters] of shown) {
      frames.push([Date.now(), id, characters]);
    }
  };
  const observer = new MutationObserver(() => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(onFrame);
    }
  });
  const notebook = window.jupyterapp.shell.currentWidget.content.node;
  observer.observe(notebook, { childList: true, characterData: true, subtree: true });
  window.datarusFrames = () => frames.splice(0);
})();
