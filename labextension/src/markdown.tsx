import { MimeModel, type IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { UNVERIFIED_HREF, stepOfHref } from './claims';
import { useServices } from './context';

/** How often text that streams in is rendered. */
const RENDER_MS = 100;

export interface IMarkdownProps {
  source: string;
  /** Called with the step when the link of a claim is followed. */
  onStep?: (step: number) => void;
}

/** The model's Markdown through Lab's own renderer, never trusted. */
export function Markdown({ source, onStep }: IMarkdownProps): JSX.Element {
  const { rendermime } = useServices();
  const host = useRef<HTMLDivElement>(null);
  const live = useRef<LiveRenderer | null>(null);
  useLayoutEffect(() => {
    if (!host.current) {
      return;
    }
    const renderer = new LiveRenderer(rendermime.createRenderer('text/markdown'), host.current);
    live.current = renderer;
    return () => renderer.dispose();
  }, [rendermime]);
  useEffect(() => live.current?.show(source), [source]);
  const follow = (event: React.MouseEvent) => {
    const link = (event.target as HTMLElement).closest('a');
    const step = link && stepOfHref(link.getAttribute('href') ?? '');
    if (typeof step === 'number') {
      event.preventDefault();
      onStep?.(step);
    }
  };
  return <div className="jp-Datarus-markdown" ref={host} onClick={follow} />;
}

/** One renderer in the page, drawing its latest text at most every `RENDER_MS`. */
class LiveRenderer {
  constructor(
    private _renderer: IRenderMime.IRenderer & Widget,
    host: HTMLElement
  ) {
    // Attached as Lab attaches widgets, or formulas would never be typeset.
    Widget.attach(_renderer, host);
  }

  show(source: string): void {
    this._source = source;
    const wait = Math.max(0, this._last + RENDER_MS - performance.now());
    this._timer ??= setTimeout(() => this._draw(), wait);
  }

  dispose(): void {
    clearTimeout(this._timer);
    this._renderer.dispose();
  }

  private _draw(): void {
    this._timer = undefined;
    this._last = performance.now();
    const model = new MimeModel({ data: { 'text/markdown': this._source }, trusted: false });
    this._renderer
      .renderModel(model)
      .then(() => this._markUnverified())
      .catch(reason => console.error('Datarus cannot render an answer.', reason));
  }

  private _markUnverified(): void {
    for (const link of this._renderer.node.querySelectorAll(`a[href="${UNVERIFIED_HREF}"]`)) {
      const mark = document.createElement('span');
      mark.className = 'jp-Datarus-unverified';
      mark.title = 'no cell printed this';
      mark.tabIndex = 0;
      mark.append(...link.childNodes);
      link.replaceWith(mark);
    }
    for (const link of this._renderer.node.querySelectorAll('a[href^="#datarus-step-"]')) {
      link.classList.add('jp-Datarus-claim');
      link.classList.toggle('jp-mod-name', !link.textContent?.startsWith('['));
      link.setAttribute('title', 'show the cell that printed this');
    }
  }

  private _source = '';
  private _last = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
