import {
  historyIcon,
  ReactWidget,
  settingsIcon,
  SidePanel,
  ToolbarButton
} from '@jupyterlab/ui-components';
import { Panel, Widget } from '@lumino/widgets';
import { Body } from './body';
import { cardId, Services, type IServices } from './context';
import { datarusIcon } from './icon';

/** The sidebar. */
export class DatarusPanel extends SidePanel {
  /**
   * `onHistory` is called with the button that asks for earlier runs, `onSettings` when the settings are wanted; null
   * where there is no editor of settings.
   */
  constructor(
    services: IServices,
    onHistory: (at: HTMLElement) => void,
    onSettings: (() => void) | null
  ) {
    super({ content: new Panel() });
    this.id = 'datarus-panel';
    this.addClass('jp-Datarus');
    this.title.icon = datarusIcon;
    this.title.caption = 'Datarus';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Datarus');
    const heading = document.createElement('h2');
    heading.textContent = 'Datarus';
    heading.classList.add('jp-text-truncated');
    this.header.addWidget(new Widget({ node: heading }));
    const history = new ToolbarButton({
      icon: historyIcon,
      tooltip: 'Earlier questions, in all notebooks',
      onClick: () => onHistory(history.node)
    });
    this.header.addWidget(history);
    if (onSettings) {
      const tooltip = 'Settings of Datarus';
      this.header.addWidget(
        new ToolbarButton({ icon: settingsIcon, tooltip, onClick: onSettings })
      );
    }
    const body = ReactWidget.create(
      <Services.Provider value={services}>
        <Body />
      </Services.Provider>
    );
    body.addClass('jp-Datarus-body');
    this.content.addWidget(body);
  }

  /** Bring the card of a step into view, and put the focus on it. */
  showCard(run: string, step: number): void {
    const card = document.getElementById(cardId(run, step));
    card?.scrollIntoView({ block: 'nearest' });
    card?.querySelector<HTMLElement>('.jp-Datarus-stepTitle')?.focus();
  }

  /** Put the cursor into the question box. */
  focusBox(): void {
    this.node.querySelector<HTMLTextAreaElement>('.jp-Datarus-box')?.focus();
  }
}
